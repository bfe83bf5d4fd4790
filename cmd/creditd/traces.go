package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/creditd/creditd/cmd/creditd/internal/otlp"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

// tracesConfig says which requests leave a trace, and where it goes.
type tracesConfig struct {
	endpoint string // empty: no traces
	ratio    float64

	headers map[string]string // may be secrets
	tls     *tls.Config       // nil: the authorities of the machine
}

// The variables of OpenTelemetry that count beside the settings. They hold what belongs to the collector and not to creditd.
const (
	otlpHeaders     = "OTEL_EXPORTER_OTLP_HEADERS"
	otlpCertificate = "OTEL_EXPORTER_OTLP_CERTIFICATE"
)

// flushTime bounds how long a node that stops delivers its last traces.
const flushTime = 2 * time.Second

func (c *tracesConfig) bind(s *settings.Set) {
	s.Group("Traces")
	settings.Value(s, &c.endpoint, "otlp-endpoint", "URL", "send traces of requests to this OpenTelemetry collector, as protobuf over HTTP: http://HOST:4318 means http://HOST:4318/v1/traces; without it none are made. OTEL_EXPORTER_OTLP_HEADERS and OTEL_EXPORTER_OTLP_CERTIFICATE count", parseCollector)
	settings.Value(s, &c.ratio, "otlp-sample-ratio", "RATIO", "part of the requests that leaves a trace, from 0 to 1. A traceparent of a known root key decides for itself, for up to 100 traces a second", parseRatio)
}

func parseCollector(raw string) (string, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return "", errors.New("not an address; write it like http://127.0.0.1:4318")
	case u.User != nil:
		return "", errors.New("must not hold a password; use " + otlpHeaders)
	case u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("must not have a query")
	}
	return strings.TrimSuffix(u.String(), "/"), nil
}

func parseRatio(raw string) (float64, error) {
	ratio, err := strconv.ParseFloat(raw, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) { // NaN neither
		return 0, errors.New("not a number from 0 to 1")
	}
	return ratio, nil
}

// load reads what the environment says of the collector.
func (c *tracesConfig) load(s *settings.Set, env func(string) (string, bool)) {
	if c.endpoint == "" {
		return
	}
	if raw, ok := env(otlpHeaders); ok {
		headers, err := parseOTLPHeaders(raw)
		if err != nil {
			s.Note("%s: %v", otlpHeaders, err)
		}
		c.headers = headers
	}
	if path, ok := env(otlpCertificate); ok && path != "" {
		pem, err := os.ReadFile(path)
		authorities := x509.NewCertPool()
		if err == nil && !authorities.AppendCertsFromPEM(pem) {
			err = fmt.Errorf("%s has no certificate", path)
		}
		if err != nil {
			s.Note("%s: %v", otlpCertificate, err)
		}
		c.tls = &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}
	}
}

// parseOTLPHeaders reads NAME=VALUE,NAME=VALUE with encoded values. An error tells no value.
func parseOTLPHeaders(raw string) (map[string]string, error) {
	headers := map[string]string{}
	for i, part := range strings.Split(raw, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, encoded, found := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(strings.TrimSpace(encoded))
		if !found || name == "" || err != nil {
			return nil, fmt.Errorf("part %d is not NAME=VALUE", i+1)
		}
		headers[name] = value
	}
	return headers, nil
}

// start returns what delivers traces, nil if none are made.
func (c *tracesConfig) start(nodeID, nodeName string, log *slog.Logger) (*otlp.Exporter, error) {
	if c.endpoint == "" {
		return nil, nil
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = c.tls
	e, err := otlp.New(otlp.Config{
		URL: c.endpoint + "/v1/traces", Headers: c.headers, Transport: transport, NodeID: nodeID, NodeName: nodeName, Version: version, Logger: log,
	})
	if err != nil {
		return nil, fmt.Errorf("--otlp-endpoint: %w", err)
	}
	log.Info("traces are sent", "to", c.endpoint, "ratio", c.ratio)
	return e, nil
}

// stopTraces delivers the last traces.
func stopTraces(e *otlp.Exporter) {
	if e == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTime)
	defer cancel()
	e.Shutdown(ctx)
}
