package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/creditd/creditd/cluster/handshakes"
	"github.com/creditd/creditd/cluster/tally"
)

// serverLog is the log of net/http. A stranger can make it write a line for each connection, so failed handshakes and connections that do
// not speak HTTP/2 are counted, and few are logged.
type serverLog struct {
	log         *slog.Logger
	failures    *handshakes.Failures // of TLS handshakes, by host
	handshakes  tally.Tally
	connections tally.Tally
}

// handshakeError begins net/http's line about a failed handshake. Then come the address of the client and the reason.
const handshakeError = "http: TLS handshake error from "

func (l *serverLog) Write(line []byte) (int, error) {
	text := string(bytes.TrimSpace(line))
	var few *tally.Tally
	switch {
	case bytes.HasPrefix(line, []byte(handshakeError)):
		few = &l.handshakes
		from, _, _ := strings.Cut(strings.TrimPrefix(text, handshakeError), ": ")
		l.failures.Note(from, time.Now())
	case bytes.HasPrefix(line, []byte("http2: ")) && !bytes.HasPrefix(line, []byte("http2: panic")):
		few = &l.connections
	default:
		l.log.Log(context.Background(), slog.LevelWarn, text)
		return len(line), nil
	}
	if since := few.Note(time.Now()); since > 0 {
		l.log.Warn(text, "failed", since)
	}
	return len(line), nil
}

func (l *serverLog) collector() prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "creditd_http_tls_handshakes_failed_total", Help: "TLS handshakes on the HTTP port that failed or were not completed in time.",
	}, func() float64 { return float64(l.handshakes.Total()) })
}
