package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

const (
	// closeTimeout bounds how long a node may take to close. A healthy node takes a fraction of it; a disk or a peer that does not
	// answer may take longer.
	closeTimeout = 10 * time.Second
	// failedCloseTimeout is for a node that has failed and has nothing left to save.
	failedCloseTimeout = time.Second
	// saveTimeout is how long a node that has drained waits for the snapshot that spares the next start to apply the log again.
	saveTimeout = 5 * time.Second
	// goodbyeTime is how long a node that has drained still answers on every connection, and closes it with the answer. A client
	// whose connection breaks under a request cannot know the outcome.
	goodbyeTime = 250 * time.Millisecond
)

// running is a node that serves.
type running struct {
	node *servedNode
	url  string // of its HTTP port
}

// waitLogInterval is how often a node that is not ready looks whether to say why.
const waitLogInterval = 10 * time.Second

// reminder says of a state that lasts when a line of log is due: when it changes, and ever more rarely, down to once an hour.
type reminder struct {
	said        string
	looks, rest int // since the last line, and until the next
}

// isDue is called once in each waitLogInterval.
func (r *reminder) isDue(state string) bool {
	if r.looks++; state != r.said {
		r.said, r.looks, r.rest = state, 0, 1
		return true
	}
	if r.looks < r.rest {
		return false
	}
	r.looks, r.rest = 0, min(2*r.rest, int(time.Hour/waitLogInterval))
	return true
}

// awaitReady waits until the node can serve requests.
func (r *running) awaitReady(ctx context.Context, log *slog.Logger) error {
	poll, remind := time.NewTicker(20*time.Millisecond), time.NewTicker(waitLogInterval)
	defer poll.Stop()
	defer remind.Stop()
	var why reminder
	for {
		err := r.node.Ready()
		if err == nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-remind.C:
			if why.isDue(err.Error()) {
				log.Warn("not ready yet", "why", err)
			}
		case <-ctx.Done():
			return fmt.Errorf("the node did not become ready: %w", err)
		}
	}
}

// checkRootKey warns of a root key that the cluster does not have. A cluster takes that of the node that founds it, and no other.
func (r *running) checkRootKey(ctx context.Context, key string, log *slog.Logger) {
	asking, cancel := context.WithTimeout(ctx, api.DefaultRequestTimeout)
	defer cancel()
	result, _, err := r.node.Answer(asking, mint.Hash(key), &fsm.Authorize{})
	if ctx.Err() != nil {
		return // it was told to stop first
	}
	if err != nil {
		log.Warn("whether the cluster has this node's root key could not be checked", "err", err)
		return
	}
	if refusal, ok := result.(*fsm.Refusal); ok && refusal.Code == fsm.RootKeyNotFound {
		log.Warn("the cluster does not know this node's root key (--root-key-file or CREDITD_ROOT_KEY): the key only counts when a cluster is founded")
	}
}

// runNode runs a node until ctx ends or the node fails. up runs beside it once HTTP is served; an error of up stops the node.
func runNode(ctx context.Context, conf nodeConfig, log *slog.Logger, up func(context.Context, *running) error) error {
	err := rejoining(conf, log, func() error { return runOnce(ctx, conf, log, up) })
	switch {
	case store.NeedsRebuild(err):
		return &stuck{fmt.Errorf("%w\n%s", err, rebuildAdvice(conf))}
	case store.KindOf(err) == store.KindRemoved:
		return &stuck{fmt.Errorf("%w\n%s", err, removedAdvice)}
	}
	return err
}

const removedAdvice = `To let this machine join again as a new node, start it once with --rejoin: its data is set aside inside of --data-dir.
To keep it out, do not start it again.`

// rejoining runs a node. With --rejoin, a node that turns out to have been removed before it started sets its data aside and begins anew. One
// that is removed while it serves stops: it comes back when it is started again.
func rejoining(conf nodeConfig, log *slog.Logger, run func() error) error {
	if !conf.rejoin {
		return run()
	}
	var removed error
	for {
		aside, err := store.SetAside(conf.store.Dir)
		if err != nil {
			return fmt.Errorf("--rejoin: %w", err)
		}
		if removed != nil && aside == "" {
			return removed // the directory could not be marked
		}
		if aside != "" {
			log.Warn("this node was removed from its cluster: it sets its data aside and joins as a new node", "data", aside)
		}
		if err = run(); !errors.Is(err, cluster.ErrRemovedBefore) || aside != "" {
			return err
		}
		removed = err
	}
}

// rebuildAdvice is what an operator can paste.
func rebuildAdvice(conf nodeConfig) string {
	dir := filepath.Clean(conf.store.Dir)
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
	limit, source := limitMemory()
	log.Info("memory limit", "bytes", limit, "from", source)
	memory, stopWatch := watchMemory(limit, log)
	defer stopWatch()
	host, err := injectFaults(conf, log)
	if err != nil {
		return err
	}
	open, err := openPorts(conf)
	if err != nil {
		return err
	}
	defer open.close()
	fatal := make(chan error, 1)
	var data *store.Store
	var preloaded replica.Preloaded
	if err := memory.load(func() (err error) {
		data, err = openData(conf, host, &preloaded, log, fatal)
		return err
	}); err != nil {
		return err
	}
	if err := open.settleSolo(&conf, data); err != nil {
		return errors.Join(fmt.Errorf("starting with --data-dir %s: %w", conf.store.Dir, err), data.Close())
	}
	warnOfOpenDoors(conf, log)
	conf.cluster.AdvertiseHTTP = conf.withScheme(withPortOf(conf.cluster.AdvertiseHTTP, open.http.Addr().String()))
	if conf.peers != nil {
		conf.peers.Log = log
	}
	conf.exporter, err = conf.traces.start(data.NodeID(), conf.cluster.Name, log)
	if err != nil {
		return errors.Join(err, data.Close())
	}
	defer stopTraces(conf.exporter)
	node, err := cluster.New(clusterConfig(conf, host, open.peer, data, &preloaded, log))
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
	if err := memory.load(node.Start); err != nil { // closes what it was given
		return fmt.Errorf("starting with --data-dir %s: %w", conf.store.Dir, err)
	}
	served := &servedNode{Node: node}
	conns := limitConnections(open.http, int(conf.http.maxConnections), int(conf.http.failedHandshakes))
	server, pages, err := newHTTPServer(conf, served, conns, memory, log)
	if err != nil {
		return errors.Join(err, closeNode(node, closeTimeout))
	}
	defer serveAdmin(open.admin, pages, conf, log)()
	r := &running{node: served, url: "http://" + open.http.Addr().String()}
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	go conf.watchFiles(watching, served, log)
	go resetRootKey(watching, data, served, log)
	log.Info("started", "version", version, "node", node.ID(), "http", conf.withScheme(reachable(open.http.Addr().String(), conf.cluster.AdvertiseHTTP)), "admin", open.adminAddr(), "peer", open.peerAddr(), "gossip", cmp.Or(conf.cluster.GossipAddr, closedPort))
	failed := r.serve(ctx, server, conns, up)
	return errors.Join(failed, r.stop(server, conf.http, failed, log))
}

// serve answers HTTP until it is asked to stop, which is no error, or cannot go on.
func (r *running) serve(ctx context.Context, server *http.Server, listener net.Listener, up func(context.Context, *running) error) error {
	ctx, cancel := context.WithCancel(ctx)
	served, upped := make(chan error, 1), make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			served <- server.ServeTLS(listener, "", "")
			return
		}
		served <- server.Serve(listener)
	}()
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
		case err := <-r.node.Failed():
			if store.KindOf(err) == store.KindRemoved {
				return err
			}
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

// stop ends what runNode started, in the reverse order. A node that failed has nothing to finish. One that was removed has: the request that
// removed it may be its own.
func (r *running) stop(server *http.Server, conf httpConfig, failed error, log *slog.Logger) error {
	r.node.draining.Store(true)
	log.Info("stopping")
	tellSystemd(serviceStopping, log)
	var drained error
	if failed == nil {
		drained = r.drain(conf.drainDelay)
	}
	r.node.closing.Store(true)
	limit := closeTimeout
	if drained != nil || failed != nil && store.KindOf(failed) != store.KindRemoved {
		_ = server.Close()
		limit = failedCloseTimeout
	} else {
		closeHTTP(server, conf.shutdownTimeout, log)
	}
	err := closeNode(r.node.Node, limit)
	if failed != nil || drained != nil {
		return drained // or failed: it says why; how the rest ended does not matter any more
	}
	if err == nil {
		log.Info("stopped")
	}
	return err
}

// drain serves on while whoever follows /readyz turns to other nodes, and then lets another node lead. So the next leader is there before a
// connection closes. Meanwhile it saves what the next start would apply again. The error is that of a node that fails meanwhile.
func (r *running) drain(delay time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), delay+closeTimeout)
	defer cancel()
	awaitSaved := r.node.SaveForRestart()
	select {
	case <-time.After(delay):
	case err := <-r.node.Failed():
		return fmt.Errorf("the node cannot go on: %w", err)
	}
	r.node.HandOver(ctx)
	ctx, cancel = context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	saved := make(chan struct{})
	go func() {
		awaitSaved(ctx)
		close(saved)
	}()
	select {
	case <-saved:
		return nil
	case err := <-r.node.Failed():
		return fmt.Errorf("the node cannot go on: %w", err)
	}
}

// closeHTTP dismisses the clients: each answer closes its connection, and open requests have a while to end.
func closeHTTP(server *http.Server, timeout time.Duration, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	time.Sleep(min(goodbyeTime, timeout/2))
	if err := server.Shutdown(ctx); err != nil {
		log.Warn("requests were cut off", "after", timeout, "err", err)
		_ = server.Close()
	}
}

// closeNode closes a node and its data directory.
func closeNode(node *cluster.Node, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- node.Close(ctx) }()
	select {
	case err := <-closed:
		return err
	case <-ctx.Done():
		return fmt.Errorf("the node did not close within %s; its data is safe, a restart recovers it from the log", settings.Short(timeout))
	}
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM. A second one ends the process at once. hangup is called for
// each SIGHUP; without it, SIGHUP counts like SIGTERM, unless the process was started to ignore it (nohup).
func untilSignal(in invocation, hangup func()) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals, ended := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if hangup != nil || !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		for count := 0; ; {
			select {
			case s := <-signals:
				if s == syscall.SIGHUP && hangup != nil {
					hangup()
					continue
				}
			case <-ended:
				return
			}
			if count++; count > 1 {
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
