package main

import (
	"bytes"
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/creditd/creditd/cluster/tally"
)

// serverLog is the log of net/http. A stranger can make it write a line for each connection, so failed handshakes are counted, and few are
// logged.
type serverLog struct {
	log        *slog.Logger
	handshakes tally.Tally
}

func (l *serverLog) Write(line []byte) (int, error) {
	text := string(bytes.TrimSpace(line))
	if !bytes.HasPrefix(line, []byte("http: TLS handshake error")) {
		l.log.Log(context.Background(), slog.LevelWarn, text)
	} else if since := l.handshakes.Note(time.Now()); since > 0 {
		l.log.Warn(text, "failed", since)
	}
	return len(line), nil
}

func (l *serverLog) collector() prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "creditd_http_tls_handshakes_failed_total", Help: "TLS handshakes on the HTTP port that failed or were not completed in time.",
	}, func() float64 { return float64(l.handshakes.Total()) })
}
