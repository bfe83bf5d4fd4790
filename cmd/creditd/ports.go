package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"syscall"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/store"
)

// ports are the listeners of a node, opened before anything is written so that a
// port in use leaves nothing half done. peer is nil on a node that has no other nodes.
type ports struct{ http, admin, peer net.Listener }

func openPorts(conf nodeConfig) (_ ports, err error) {
	var p ports
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.http, err = listen("--http-addr", conf.http.addr); err != nil {
		return p, err
	}
	if conf.adminAddr != "" {
		if p.admin, err = listen("--admin-addr", conf.adminAddr); err != nil {
			return p, err
		}
	}
	if conf.solo {
		return p, nil
	}
	return p, p.openForNodes(conf)
}

// warnOfOpenAddresses tells what others than this machine can read at the addresses that clients use.
func (c nodeConfig) warnOfOpenAddresses(log *slog.Logger) {
	if c.http.tls == nil && !isLoopback(c.http.addr) {
		log.Warn("HTTP is not encrypted: whoever is on the way can read root keys and keys. Name a certificate with --http-tls-cert and --http-tls-key, "+
			"or let only a proxy with TLS reach this address", "http", c.http.addr)
	}
	demandsCertificates := c.http.tls != nil && c.http.tls.Current().Authorities != nil
	if c.adminAddr != "" && !isLoopback(c.adminAddr) && !demandsCertificates {
		log.Warn("whoever reaches --admin-addr can read metrics, logs, settings and profiles, which tell of the memory of this process", "admin", c.adminAddr)
	}
}

// openForNodes opens what other nodes connect to.
func (p *ports) openForNodes(conf nodeConfig) (err error) {
	if p.peer, err = listen("--peer-addr", conf.peerAddr); err != nil {
		return err
	}
	return tryGossip(conf.cluster.GossipAddr)
}

// settleSolo finds out whether a node that was told of no other node is alone, and opens the ports for others if it is not.
func (p *ports) settleSolo(conf *nodeConfig, data *store.Store) error {
	if !conf.solo {
		return nil
	}
	servers, err := data.Servers()
	if err != nil {
		return err
	}
	others := slices.ContainsFunc(servers, func(s raft.Server) bool { return string(s.ID) != data.NodeID() })
	if !others && (len(servers) > 0 || conf.cluster.BootstrapExpect == 1) {
		conf.cluster.GossipAddr, conf.cluster.BootstrapExpect = "", 1
		return nil
	}
	if conf.peerAddr == "" {
		return errors.New("the directory belongs to a cluster with other nodes; start it with 'creditd server'")
	}
	conf.solo = false
	return p.openForNodes(*conf)
}

// warnOfOpenDoors names the ports for other nodes that nothing protects.
func warnOfOpenDoors(conf nodeConfig, log *slog.Logger) {
	if conf.solo {
		return
	}
	var open []string
	who := "every user of this machine"
	for _, door := range []struct {
		option, address string
		closed          bool
	}{
		{"--peer-addr", conf.peerAddr, conf.cluster.ServerTLS != nil}, {"--gossip-addr", conf.cluster.GossipAddr, len(conf.cluster.GossipKey) > 0},
	} {
		if door.closed {
			continue
		}
		open = append(open, door.option+" "+door.address)
		if !isLoopback(door.address) {
			who = "everybody who reaches these addresses"
		}
	}
	if len(open) > 0 {
		log.Warn(who+" can take the cluster over: give all nodes the same --cluster-secret-file ('creditd secret new' makes one)", "open", open)
	}
}

// closedPort stands in the log for a port that is not open.
const closedPort = "closed"

func (p ports) peerAddr() string {
	if p.peer == nil {
		return closedPort
	}
	return p.peer.Addr().String()
}

func (p ports) adminAddr() string {
	if p.admin == nil {
		return closedPort
	}
	return p.admin.Addr().String()
}

// close closes what is open; a listener that was handed on may be closed twice.
func (p ports) close() {
	for _, l := range []net.Listener{p.http, p.admin, p.peer} {
		if l != nil {
			_ = l.Close()
		}
	}
}

func listen(option, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, portError(option, address, err)
	}
	return l, nil
}

// tryGossip finds out whether both gossip ports can be had. The gossip library
// opens them itself, so they are given back.
func tryGossip(address string) error {
	const option = "--gossip-addr"
	stream, err := listen(option, address)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		return portError(option, address, err)
	}
	return packets.Close()
}

func portError(option, address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s %s: the port is in use by another process; stop that, or name another port", option, address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s %s: this machine does not have that address; name one of its own and tell peers about another with the --advertise flags", option, address)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s %s: this user may not open the port; name one above 1023", option, address)
	}
	var failed *net.OpError
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return fmt.Errorf("%s %s: cannot listen: %w", option, address, err)
}
