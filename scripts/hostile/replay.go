package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

// recording is what nodes have sent to another node: valid bytes, which the attackers send again.
type recording struct {
	Peer, Gossip, Packets [][]byte
}

// The bounds of a recording.
const (
	mostStreams  = 32
	mostBytes    = 256 << 10 // of a stream
	mostPackets  = 2000
	recordingFor = 4 * time.Second // a node has no vote yet
	mostTime     = time.Minute
)

// recorder stands before the peer and gossip ports of a guest, and before the gossip port that it joins through, and remembers what arrives.
type recorder struct {
	mu   sync.Mutex
	kept recording // guarded by mu
}

func (r *recorder) packet(data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.kept.Packets) < mostPackets {
		r.kept.Packets = append(r.kept.Packets, append([]byte(nil), data...))
	}
}

// stream passes a connection on and remembers what its client sends.
func (r *recorder) stream(conn net.Conn, to string, into *[][]byte) {
	defer func() { _ = conn.Close() }()
	next, err := net.DialTimeout("tcp", to, time.Second)
	if err != nil {
		return // the guest is not up yet
	}
	defer func() { _ = next.Close() }()
	go func() {
		_, _ = io.Copy(conn, next)
		_ = conn.Close()
	}()
	var sent limited
	_, _ = io.Copy(next, io.TeeReader(conn, &sent)) // ends when either side does
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(*into) < mostStreams && len(sent) > 0 {
		*into = append(*into, sent)
	}
}

// limited keeps the beginning of what is written to it.
type limited []byte

func (l *limited) Write(p []byte) (int, error) {
	*l = append(*l, p[:min(len(p), mostBytes-len(*l))]...)
	return len(p), nil
}

// relayTCP takes connections for another address until the listener is closed.
func (r *recorder) relayTCP(l net.Listener, to string, into *[][]byte) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go r.stream(conn, to, into)
	}
}

// relayUDP takes packets for another address until the socket is closed.
func (r *recorder) relayUDP(from net.PacketConn, to net.Addr) {
	buffer := make([]byte, 64<<10)
	for {
		n, _, err := from.ReadFrom(buffer)
		if err != nil {
			return
		}
		r.packet(buffer[:n])
		_, _ = from.WriteTo(buffer[:n], to) // gossip copes with a lost packet
	}
}

// record lets a fourth node join, behind a recorder, and removes it again. It writes what the others and the guest sent, and returns the file.
func (b *siege) record(ctx context.Context, binary string) (file string, err error) {
	ctx, cancel := context.WithTimeout(ctx, mostTime)
	defer cancel()
	place, err := launch.NewPlace(filepath.Join(b.dir, "guest", "node0")) // with the certificate of node0, if there are certificates
	if err != nil {
		return "", err
	}
	addrs, err := launch.FreeAddrs(2)
	if err != nil {
		return "", err
	}
	r := &recorder{}
	peers, err := net.Listen("tcp", addrs[0])
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, peers.Close()) }()
	streams, err := net.Listen("tcp", addrs[1])
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, streams.Close()) }()
	packets, err := net.ListenPacket("udp", addrs[1])
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, packets.Close()) }()
	guest, err := net.ResolveUDPAddr("udp", place.Gossip)
	if err != nil {
		return "", err
	}
	door, err := net.Listen("tcp", "127.0.0.1:0") // the guest joins through it: the others send it a stream by chance only
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, door.Close()) }()
	go r.relayTCP(door, b.cluster.Place(0).Gossip, &r.kept.Gossip)
	go r.relayTCP(peers, place.Peer, &r.kept.Peer)
	go r.relayTCP(streams, place.Gossip, &r.kept.Gossip)
	go r.relayUDP(packets, guest)

	place.Advertised = addrs[0]
	command := b.cluster.Command(binary, place)
	command.Args = append(command.Args, "--advertise-gossip", addrs[1], "--join", door.Addr().String())
	process, err := launch.StartLogged(filepath.Join(b.dir, "guest.log"), command)
	if err != nil {
		return "", err
	}
	defer process.Kill()
	if err := launch.Await(ctx, "the guest to be sent something on each port", func(context.Context) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.kept.Packets) == 0 {
			return errors.New("no packets yet")
		}
		return nil
	}); err != nil {
		return "", err
	}
	if err := launch.Pause(ctx, recordingFor); err != nil {
		return "", err
	}
	process.Kill() // ends its streams, which then are in the recording
	return b.keep(ctx, r, addrs[0])
}

// keep removes the guest from the cluster and writes the recording.
func (b *siege) keep(ctx context.Context, r *recorder, advertised string) (string, error) {
	if err := b.removeGuest(ctx, advertised); err != nil {
		return "", err
	}
	if err := launch.Await(ctx, "the streams to the guest to end", func(context.Context) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.kept.Peer) == 0 || len(r.kept.Gossip) == 0 {
			return fmt.Errorf("%d streams to the peer port, %d of gossip", len(r.kept.Peer), len(r.kept.Gossip))
		}
		return nil
	}); err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	text, err := json.Marshal(r.kept)
	if err != nil {
		return "", err
	}
	file := filepath.Join(b.dir, "recording.json")
	return file, os.WriteFile(file, text, 0o600)
}

func (b *siege) removeGuest(ctx context.Context, advertised string) error {
	var status struct {
		Nodes []struct{ NodeID, PeerAddr string }
	}
	if err := b.cluster.Call(ctx, launch.Anywhere, "cluster.getStatus", struct{}{}, &status); err != nil {
		return err
	}
	for _, n := range status.Nodes {
		if n.PeerAddr == advertised {
			return b.cluster.Call(ctx, launch.Anywhere, "cluster.removeServer", map[string]any{"nodeId": n.NodeID}, nil)
		}
	}
	return errors.New("the guest never joined")
}

// replaySessions sends what nodes have sent before: to the peer port, and to the gossip port as streams and as packets.
func replaySessions(_ context.Context, t *target) (strike, error) {
	var kept recording
	text, err := os.ReadFile(t.recording)
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err == nil && (len(kept.Peer) == 0 || len(kept.Gossip) == 0 || len(kept.Packets) == 0) {
		err = errors.New("the recording is empty")
	}
	return func(ctx context.Context, attacker int) {
		at := t.place(attacker)
		switch attacker / len(t.places) % 3 {
		case 0:
			if conn := t.dial(ctx, at.Peer); conn != nil {
				t.replay(conn, kept.Peer)
			}
		case 1:
			if conn := t.dial(ctx, at.Gossip); conn != nil {
				t.replay(conn, kept.Gossip)
			}
		default:
			t.sendPackets(ctx, at.Gossip, kept.Packets)
		}
	}, err
}

// replayPatience is how long an attacker waits for a node to cut a session that it has sent again.
const replayPatience = 500 * time.Millisecond

func (t *target) replay(conn net.Conn, streams [][]byte) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(replayPatience))
	_, _ = conn.Write(streams[rand.IntN(len(streams))]) // who is cut off has got what it asked for
	heard, err := io.Copy(io.Discard, io.LimitReader(conn, 1<<20))
	switch {
	case heard > 0:
		t.note("answered")
	case err != nil && errors.Is(err, os.ErrDeadlineExceeded):
		t.note("ignored")
	default:
		t.note("cut")
	}
}
