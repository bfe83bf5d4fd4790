package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

const (
	maxHeaderBytes = 16 << 10
	// readTimeout lets a slow client send the largest body. writeTimeout covers
	// the time the request may take in the ledger and then the answer.
	readTimeout  = time.Minute
	writeTimeout = readTimeout + api.DefaultRequestTimeout + 30*time.Second
	// closeTimeout bounds how long a node may take to leave. It is for a disk or
	// a peer that does not answer; a healthy node takes a fraction of it.
	closeTimeout = 10 * time.Second
	// failedCloseTimeout is for a node that has failed: nothing it still does counts.
	failedCloseTimeout = time.Second
	// dismissTime is how long a node that was told to stop still answers on every connection, telling clients to go elsewhere:
	// one that is used at the moment it is closed cannot tell what became of its request.
	dismissTime = 250 * time.Millisecond
)

// running is a node that serves.
type running struct {
	member *member
	url    string // of its HTTP port
}

// patienceLog is how often a node that is not ready yet says why.
const patienceLog = 10 * time.Second

// awaitReady waits until the node can serve requests.
func (r *running) awaitReady(ctx context.Context, log *slog.Logger) error {
	poll, remind := time.NewTicker(20*time.Millisecond), time.NewTicker(patienceLog)
	defer poll.Stop()
	defer remind.Stop()
	for {
		err := r.member.Ready()
		if err == nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-remind.C:
			log.Warn("not ready yet", "why", err)
		case <-ctx.Done():
			return fmt.Errorf("the node did not become ready: %w", err)
		}
	}
}

// runNode runs a node from its start to its stop, which ctx asks for. up runs
// beside it once HTTP is served; an error of up stops the node.
func runNode(ctx context.Context, conf nodeConfig, log *slog.Logger, up func(context.Context, *running) error) error {
	err := runOnce(ctx, conf, log, up)
	if store.NeedsRebuild(err) {
		return fmt.Errorf("%w\n%s", err, rebuildAdvice(conf))
	}
	return err
}

// rebuildAdvice is what an operator can paste.
func rebuildAdvice(conf nodeConfig) string {
	dir := filepath.Clean(conf.dataDir)
	away := dir + ".damaged"
	for i := 2; ; i++ { // mv would put it into a directory that is there
		if _, err := os.Lstat(away); err != nil {
			break
		}
		away = fmt.Sprintf("%s.damaged-%d", dir, i)
	}
	return fmt.Sprintf("To rebuild this node from its peers:\n  mv %s %s\nthen start it as before. A single node needs a backup.", quoted(dir), quoted(away))
}

func runOnce(ctx context.Context, conf nodeConfig, log *slog.Logger, up func(context.Context, *running) error) error {
	sensed, err := plantFaults(conf, log)
	if err != nil {
		return err
	}
	open, err := openPorts(conf)
	if err != nil {
		return err
	}
	defer open.close()
	fatal := make(chan error, 1)
	data, err := openData(conf, sensed, log, fatal)
	if err != nil {
		return err
	}
	conf.advertiseHTTP = withPortOf(conf.advertiseHTTP, open.http.Addr().String())
	node, err := cluster.New(clusterConfig(conf, sensed, open.peer, data, log))
	if err != nil {
		return errors.Join(err, data.Close())
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case err := <-fatal:
			node.Fail(err)
		case <-ended:
		}
	}()
	if err := node.Start(); err != nil { // closes what it was given
		return fmt.Errorf("starting with --data-dir %s: %w", conf.dataDir, err)
	}
	m := &member{Node: node}
	server, err := newServer(conf, m, log)
	if err != nil {
		return errors.Join(err, closeNode(node, closeTimeout))
	}
	r := &running{member: m, url: "http://" + open.http.Addr().String()}
	log.Info("started", "version", version, "node", node.ID(), "http", open.http.Addr().String(), "peer", open.peer.Addr().String(), "gossip", conf.gossipAddr)
	failed := r.serve(ctx, server, open.http, up)
	return errors.Join(failed, r.stop(server, conf.shutdownTimeout, failed, log))
}

// openData opens the data directory. Faults of the disk are sent to fatal.
func openData(conf nodeConfig, sensed senses, log *slog.Logger, fatal chan<- error) (*store.Store, error) {
	data, err := store.Open(store.Options{
		Dir: conf.dataDir, LogStore: conf.logStore, Logger: log,
		ReserveBytes: conf.diskReserve, FreeBytes: sensed.free,
		OnFatal: func(err error) { fatal <- err },
	})
	if err != nil {
		return nil, fmt.Errorf("--data-dir: %w", err)
	}
	if err := keepRootKey(conf, data); err != nil {
		return nil, errors.Join(err, data.Close())
	}
	return data, nil
}

// keepRootKey writes the root key into a new data directory, if it is to be
// kept: after the directory is known to be ours, before a ledger begins with it.
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

func clusterConfig(conf nodeConfig, sensed senses, peers net.Listener, data *store.Store, log *slog.Logger) cluster.Config {
	c := cluster.DefaultConfig()
	c.Store = data
	c.PeerListener, c.AdvertisePeer, c.AdvertiseHTTP = peers, conf.advertisePeer, conf.advertiseHTTP
	c.ServerTLS, c.ClientTLS = conf.tls, conf.tls
	c.GossipAddr, c.AdvertiseGossip = conf.gossipAddr, conf.advertiseGossip
	c.GossipKey, c.InsecureGossip = conf.gossipKey, conf.insecureGossip
	c.Join, c.BootstrapExpect = conf.join, conf.bootstrapExpect
	c.Founding = fsm.Bootstrap{
		ClusterID: mint.ID("cluster"), WorkspaceID: mint.ID(mint.Workspace), WorkspaceName: "default",
		RootKeyID: mint.ID(mint.Key), RootKeyHash: mint.Hash(conf.rootKey),
	}
	c.Version, c.Logger = version, log
	c.Now, c.Elapsed, c.MaxClockSkew = sensed.now, uptime(), conf.maxClockSkew
	c.MaxOutcomes = conf.maxIdempotencyKeys
	c.HeartbeatTimeout, c.ElectionTimeout = conf.heartbeatTimeout, conf.electionTimeout
	c.LeaseTimeout = min(c.LeaseTimeout, conf.heartbeatTimeout)
	c.SnapshotThreshold, c.SnapshotInterval, c.TrailingLogs = conf.snapshotThreshold, conf.snapshotInterval, conf.trailingLogs
	return c
}

func newServer(conf nodeConfig, m *member, log *slog.Logger) (*http.Server, error) {
	registry := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		m.Collector(), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	served, err := api.New(api.Config{Node: m, Logger: log, Registry: registry, Version: version})
	if err != nil {
		return nil, err
	}
	return &http.Server{
		Handler:           m.dismissing(served.Handler()),
		ReadHeaderTimeout: conf.readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       conf.idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}, nil
}

// serve answers HTTP until it is asked to stop, which is no error, or cannot go on.
func (r *running) serve(ctx context.Context, server *http.Server, listener net.Listener, up func(context.Context, *running) error) error {
	ctx, cancel := context.WithCancel(ctx)
	served, upped := make(chan error, 1), make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	go func() { upped <- up(ctx, r) }()
	isUp := false
	defer func() {
		cancel()
		if !isUp {
			<-upped
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-r.member.Failed():
			return fmt.Errorf("the node cannot go on: %w", err)
		case err := <-served:
			return fmt.Errorf("serving HTTP ended: %w", err)
		case err := <-upped:
			isUp = true
			if err != nil {
				return err
			}
		}
	}
}

// stop ends what runNode started, in the reverse order. A node that failed has
// nothing to finish.
func (r *running) stop(server *http.Server, patience time.Duration, failed error, log *slog.Logger) error {
	r.member.stopping.Store(true)
	log.Info("stopping")
	patienceToClose := closeTimeout
	if failed != nil {
		_ = server.Close()
		patienceToClose = failedCloseTimeout
	} else {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		time.Sleep(min(dismissTime, patience/2))
		if err := server.Shutdown(ctx); err != nil {
			log.Warn("requests were cut off", "after", patience, "err", err)
			_ = server.Close()
		}
	}
	err := closeNode(r.member.Node, patienceToClose)
	if failed != nil {
		return nil // it says why; how the rest ended does not matter any more
	}
	if err == nil {
		log.Info("stopped")
	}
	return err
}

// closeNode closes a node and its data directory.
func closeNode(node *cluster.Node, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- node.Close(ctx) }()
	select {
	case err := <-closed:
		return err
	case <-ctx.Done():
		return fmt.Errorf("the node did not close within %s; its data is safe, a restart recovers it from the log", shortDuration(patience))
	}
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM. A
// second one ends the process at once.
func untilSignal(in invocation) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals, ended := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for count := 0; ; count++ {
			select {
			case <-signals:
			case <-ended:
				return
			}
			if count > 0 {
				_, _ = fmt.Fprintln(in.stderr, "creditd: a second signal: exiting at once")
				os.Exit(exitFailed)
			}
			cancel()
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(ended)
		cancel()
	}
}
