package main

import (
	"bytes"
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/creditd/creditd/cluster/tally"
)

// serverLog is the log of net/http. A stranger can make it write a line for each connection, so failed handshakes and connections that do
// not speak HTTP/2 are counted, and few are logged.
type serverLog struct {
	log         *slog.Logger
	handshakes  tally.Tally
	connections tally.Tally
}

func (l *serverLog) Write(line []byte) (int, error) {
	text := string(bytes.TrimSpace(line))
	var few *tally.Tally
	switch {
	case bytes.HasPrefix(line, []byte("http: TLS handshake error")):
		few = &l.handshakes
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
