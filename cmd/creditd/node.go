package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/tracing"
	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/cmd/creditd/internal/certs"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

const (
	maxHeaderBytes = 16 << 10
	// maxHeaderNames bounds what net/http makes of the header: 16 KiB of short names take half a megabyte.
	maxHeaderNames = 100
	// writeTimeout covers the time for the body, in the ledger, and for the answer.
	writeTimeout = 2*api.DefaultRequestTimeout + 30*time.Second
)

// openData opens the data directory, and loads the ledger into preloaded meanwhile. Faults of the disk are sent to fatal.
func openData(conf nodeConfig, host host, preloaded *replica.Preloaded, log *slog.Logger, fatal chan<- error) (*store.Store, error) {
	options := conf.store
	options.Load = preloaded.Load
	options.Logger, options.FreeBytes, options.Reads = log, host.free, replica.Reads(version)
	options.OnFatal = func(err error) { fatal <- err }
	data, err := store.Open(options)
	if store.KindOf(err) == store.KindInvalid { // the settings are checked but for the reserve, which depends on the directory
		return nil, fmt.Errorf("--disk-reserve: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("--data-dir: %w", err)
	}
	if err := keepRootKey(conf, data); err != nil {
		return nil, errors.Join(err, data.Close())
	}
	return data, nil
}

// keepRootKey writes the root key into a new data directory, if it is to be kept. It runs after the directory is known to be ours, and
// before a ledger is founded with the key.
func keepRootKey(conf nodeConfig, data *store.Store) error {
	if conf.keepRootKeyIn == "" {
		return nil
	}
	if has, err := data.HasState(); err != nil || has {
		return err
	}
	if err := os.WriteFile(conf.keepRootKeyIn, []byte(conf.rootKey+"\n"), 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("--data-dir: keeping the root key: %w", err)
	}
	return nil
}

// clusterConfig adds to the settings what exists only at run time.
func clusterConfig(conf nodeConfig, host host, peers net.Listener, data *store.Store, preloaded *replica.Preloaded, log *slog.Logger) cluster.Config {
	c := conf.cluster
	c.Store, c.Preloaded, c.PeerListener = data, preloaded, peers
	c.Founding = fsm.Bootstrap{
		ClusterID: mint.ID("cluster"), WorkspaceID: mint.ID(mint.Workspace), WorkspaceName: "default",
		RootKeyID: mint.ID(mint.Key), RootKeyHash: mint.Hash(conf.rootKey),
	}
	c.Version, c.Logger, c.Certificates = version, log, conf.certificates
	if conf.exporter != nil {
		c.Tracer = conf.exporter.Tracer()
	}
	c.Now, c.Elapsed = host.now, uptime()
	c.LeaseTimeout = min(c.LeaseTimeout, c.HeartbeatTimeout)
	return c
}

func newHTTPServer(conf nodeConfig, node *servedNode, conns *connections, memory *memoryWatch, log *slog.Logger) (server *http.Server, admin http.Handler, err error) {
	registry, errorLog := prometheus.NewRegistry(), &serverLog{log: log, failures: conns.failures}
	streams := &streams{limit: int64(conf.http.maxConnections), patience: api.RatePatience}
	for _, c := range append(append(conns.collectors(), memory.collectors()...),
		node.Collector(), certs.Collector{HTTP: conf.http.tls, Peers: conf.peers}, errorLog.collector(), streams.collector(), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	) {
		if err := registry.Register(c); err != nil {
			return nil, nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	var access *api.AccessLog
	if conf.accessLogger != nil {
		access = &api.AccessLog{Logger: conf.accessLogger, Caller: node.Caller}
	}
	var traces *tracing.Requests
	if conf.exporter != nil {
		traces = tracing.New(tracing.Config{Tracer: conf.exporter.Tracer(), Ratio: conf.traces.ratio, Caller: node.Caller})
		if err := registry.Register(conf.exporter.Collector()); err != nil {
			return nil, nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	served, err := api.New(api.Config{
		Node: node, Logger: log, Registry: registry, Version: version, OperatorKey: mint.Hash(conf.rootKey), AccessLog: access, Traces: traces,
		BodyMemory:   int64(cmp.Or(conf.http.bodyMemory, roomWithin(memory.limit, api.DefaultBodyMemory))),
		AnswerMemory: int64(cmp.Or(conf.http.answerMemory, roomWithin(memory.limit, api.DefaultAnswerMemory))),
		MinRate:      int64(conf.http.minRate), MemoryShort: memory.short.Load, SeparateAdmin: conf.adminAddr != "",
		FailedAuthentications: int(conf.http.failedAuthentications),
		Knows: func(rootKey fsm.Hash) bool {
			workspaceID, _ := node.Caller(rootKey)
			return workspaceID != ""
		},
	})
	if err != nil {
		return nil, nil, err
	}
	server = &http.Server{
		Handler:           streams.bound(boundingHeaders(node.closingConnections(served.Handler()))),
		ConnState:         conns.observe,
		ConnContext:       contextOf,
		ReadHeaderTimeout: conf.http.readHeaderTimeout,
		ReadTimeout:       max(conf.http.readHeaderTimeout, api.RatePatience), // for the start of the body; package api extends it
		WriteTimeout:      writeTimeout,
		IdleTimeout:       conf.http.idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          stdlog.New(errorLog, "", 0),
		HTTP2:             http2Limits,
	}
	if conf.http.tls != nil {
		server.TLSConfig = certs.HTTPServer(conf.http.tls)
	}
	return server, served.Admin(), nil
}

// boundingHeaders refuses a request with too many headers, so that it does not stay in memory while the body arrives.
func boundingHeaders(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header) > maxHeaderNames {
			w.Header().Set("Connection", "close")
			http.Error(w, fmt.Sprintf("the request has %d headers, at most %d are allowed", len(r.Header), maxHeaderNames), http.StatusRequestHeaderFieldsTooLarge)
			return
		}
		handler.ServeHTTP(w, r)
	})
}
