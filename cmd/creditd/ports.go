package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// ports are the listeners of a node, opened before anything is written so that a
// port in use leaves nothing half done.
type ports struct{ http, peer net.Listener }

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
	if p.peer, err = listen("--peer-addr", conf.peerAddr); err != nil {
		return p, err
	}
	if conf.cluster.GossipAddr == "" {
		return p, nil
	}
	return p, tryGossip(conf.cluster.GossipAddr)
}

// close closes what is open; a listener that was handed on may be closed twice.
func (p ports) close() {
	for _, l := range []net.Listener{p.http, p.peer} {
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
