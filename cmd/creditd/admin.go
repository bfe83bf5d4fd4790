package main

import (
	"bytes"
	"errors"
	"fmt"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/creditd/creditd/cmd/creditd/internal/certs"
)

const (
	// adminConnections bounds the admin port: for people and for a few scrapers.
	adminConnections = 64
	// adminWriteTimeout leaves time for profiles and traces of a minute.
	adminWriteTimeout = 90 * time.Second
)

// serveAdmin serves the admin port until stop is called. Nothing there needs a root key. It has the certificate of the HTTP port, if there is
// one, and demands the same certificates of clients.
func serveAdmin(l net.Listener, pages http.Handler, conf nodeConfig, log *slog.Logger) (stop func()) {
	if l == nil {
		return func() {}
	}
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.HandleFunc("GET /debug/pprof/", briefly(pprof.Index))
	mux.HandleFunc("GET /debug/pprof/profile", briefly(pprof.Profile))
	mux.HandleFunc("GET /debug/pprof/trace", briefly(pprof.Trace))
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/logs", func(w http.ResponseWriter, _ *http.Request) {
		answerText(w, conf.logs.lines())
	})
	mux.HandleFunc("GET /debug/settings", func(w http.ResponseWriter, _ *http.Request) {
		var text bytes.Buffer
		if err := showSettings(&text, conf.settings()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answerText(w, text.Bytes())
	})
	conns := limitConnections(l, adminConnections, int(conf.http.failedHandshakes))
	errorLog := &serverLog{log: log, failures: conns.failures}
	server := &http.Server{
		Handler: mux, ConnState: conns.observe, ReadTimeout: conf.http.readHeaderTimeout, WriteTimeout: adminWriteTimeout, IdleTimeout: conf.http.idleTimeout,
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: stdlog.New(errorLog, "", 0),
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		serve := server.Serve
		if conf.http.tls != nil {
			server.TLSConfig = certs.HTTPServer(conf.http.tls)
			serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
		}
		if err := serve(conns); !errors.Is(err, http.ErrServerClosed) {
			log.Error("serving the admin port ended", "err", err)
		}
	}()
	return func() {
		_ = server.Close()
		<-ended
	}
}

// briefly refuses profiles and traces above a minute. Package pprof moves the deadline of the answer, so one could slow the node for years.
func briefly(profile http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		seconds := r.FormValue("seconds")
		if n, err := strconv.ParseFloat(seconds, 64); seconds != "" && !(err == nil && n <= mostProfiled.Seconds()) {
			http.Error(w, fmt.Sprintf("seconds must be a number, at most %v", mostProfiled.Seconds()), http.StatusBadRequest)
			return
		}
		profile(w, r)
	}
}

func answerText(w http.ResponseWriter, text []byte) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(text) // fails if the reader has left
}
