package main

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/creditd/creditd/api"
)

// http2Limits bound a connection of HTTP/2, which may have many requests under way. DESIGN.md says why they are so.
var http2Limits = &http.HTTP2Config{
	MaxConcurrentStreams:          100,
	MaxDecoderHeaderTableSize:     4 << 10,
	MaxReceiveBufferPerConnection: 64 << 10,
	MaxReceiveBufferPerStream:     64 << 10,
	SendPingTimeout:               30 * time.Second,
	PingTimeout:                   api.RatePatience,
	WriteByteTimeout:              2 * api.RatePatience,
}

// streams bounds the requests of HTTP/2 under way on all connections. Those of HTTP/1.1 are bounded with their connections.
type streams struct {
	limit    int64
	patience time.Duration // how long the end of an answer may wait for its client
	open     atomic.Int64
	refused  atomic.Int64
}

func (s *streams) bound(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor < 2 {
			handler.ServeHTTP(w, r)
			return
		}
		defer s.open.Add(-1)
		if s.open.Add(1) > s.limit {
			s.refused.Add(1)
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests) // without a body, which the client could leave untaken
			return
		}
		handler.ServeHTTP(w, r)
		s.finish(w)
	})
}

// finish sends the end of an answer, which net/http would send after the handler: a client that takes nothing would hold it uncounted. An
// error ends the stream alone.
func (s *streams) finish(w http.ResponseWriter) {
	control := http.NewResponseController(w)
	if control.SetWriteDeadline(time.Now().Add(s.patience)) == nil {
		_ = control.Flush()
	}
}

func (s *streams) collector() prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "creditd_http_streams_refused_total", Help: "Requests of HTTP/2 refused with 429 because as many as --max-connections were under way.",
	}, func() float64 { return float64(s.refused.Load()) })
}
