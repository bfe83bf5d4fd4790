package main

import (
	"bytes"
	"context"
	cryptorand "crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/creditd/creditd/cluster/gossip/forge"

	"github.com/creditd/creditd/scripts/launch"
)

// dribbleBodies announces a body that is received from strangers as well, and sends it below the minimum rate.
func dribbleBodies(_ context.Context, t *target) (strike, error) {
	const size = 60 << 10
	return func(ctx context.Context, attacker int) {
		conn := t.dialHTTP(ctx, attacker)
		if conn == nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, err := fmt.Fprintf(conn, "POST /v2/keys.createKey HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer root_wrong\r\n"+
			"Content-Length: %d\r\n\r\n{\"apiId\":\"", size)
		piece := bytes.Repeat([]byte("a"), 1<<10)
		for sent := 0; err == nil && sent < size && ctx.Err() == nil; sent += len(piece) {
			_, err = conn.Write(piece)
			_ = launch.Pause(ctx, 200*time.Millisecond)
		}
		t.noteAnswer(conn)
	}, nil
}

// sendManyProperties sends one object with hundreds of thousands of names.
func sendManyProperties(_ context.Context, t *target) (strike, error) {
	var body strings.Builder
	body.WriteString(`{"apiId":"a"`)
	for i := range 700_000 {
		fmt.Fprintf(&body, `,"n%d":1`, i)
	}
	body.WriteString("}")
	text := []byte(body.String())
	return func(ctx context.Context, attacker int) { t.post(ctx, attacker, "root_wrong", "keys.createKey", text) }, nil
}

// readNothing asks for the largest page and never reads the answer. The state is a tenant's: its root key may be in many hands.
func readNothing(ctx context.Context, t *target) (strike, error) {
	apiID, err := largeIdentity(ctx, t, 100)
	request := fmt.Sprintf(`{"apiId":"%v","limit":100}`, apiID)
	return func(ctx context.Context, attacker int) {
		conn := t.dialHTTP(ctx, attacker)
		if conn == nil {
			return
		}
		defer func() { _ = conn.Close() }()
		raw := conn
		if secured, ok := conn.(*tls.Conn); ok {
			raw = secured.NetConn()
		}
		if tcp, ok := raw.(*net.TCPConn); ok {
			_ = tcp.SetReadBuffer(4 << 10)
		}
		for range 16 { // pipelined
			if _, err := fmt.Fprintf(conn, "POST /v2/apis.listKeys HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\n"+
				"Content-Length: %d\r\n\r\n%s", t.admin, len(request), request); err != nil {
				break
			}
		}
		_ = launch.Pause(ctx, 20*time.Second)
		t.note("held")
	}, err
}

// openConnections keeps many connections open that ask for nothing.
func openConnections(_ context.Context, t *target) (strike, error) {
	return func(ctx context.Context, attacker int) {
		t.hold(ctx, t.place(attacker).HTTP, 200, nil)
	}, nil
}

// besetPeerPort opens many connections to the peer port of each node: silent ones, and ones that send junk.
func besetPeerPort(_ context.Context, t *target) (strike, error) {
	return func(ctx context.Context, attacker int) {
		var junk []byte
		if attacker%2 == 1 {
			junk = make([]byte, 1+rand.IntN(4096))
			_, _ = cryptorand.Read(junk)
		}
		t.hold(ctx, t.place(attacker).Peer, 64, junk)
	}, nil
}

// besetGossipPort sends random packets, packets and streams that ended earlier versions of the gossip library, and junk over TCP.
func besetGossipPort(_ context.Context, t *target) (strike, error) {
	const label, someNode = "creditd", "node_a"
	random := forge.NewRandom(rand.Uint64(), label, someNode)
	var packets [][]byte
	for range 5000 {
		packets = append(packets, random.Packet())
	}
	for _, c := range forge.Packets(label, someNode) {
		packets = append(packets, c.Data)
	}
	streams := forge.Streams(label, someNode)
	return func(ctx context.Context, attacker int) {
		addr := t.place(attacker).Gossip
		if attacker%4 == 3 {
			t.hold(ctx, addr, 4, streams[rand.IntN(len(streams))].Data)
			return
		}
		t.sendPackets(ctx, addr, packets)
	}, nil
}

// sendPackets sends a hundred of them in any order, and pauses.
func (t *target) sendPackets(ctx context.Context, addr string, packets [][]byte) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", addr)
	if err != nil {
		t.note("not sent")
		_ = launch.Pause(ctx, 10*time.Millisecond)
		return
	}
	defer func() { _ = conn.Close() }()
	for range 100 {
		if _, err := conn.Write(packets[rand.IntN(len(packets))]); err == nil {
			t.note("packets")
		}
	}
	_ = launch.Pause(ctx, 10*time.Millisecond)
}

// hold opens connections, sends something on each, and keeps them for a few seconds.
func (t *target) hold(ctx context.Context, addr string, count int, send []byte) {
	var held []io.Closer
	for range count {
		conn := t.dial(ctx, addr)
		if conn == nil {
			break
		}
		held = append(held, conn)
		_, _ = conn.Write(send) // who is cut off has got what it asked for
		t.note("connections")
	}
	_ = launch.Pause(ctx, 3*time.Second)
	for _, c := range held {
		_ = c.Close()
	}
}

// dialHTTP opens a connection to the HTTP port of the attacker's node, with TLS if that has it. nil: there is none.
func (t *target) dialHTTP(ctx context.Context, attacker int) net.Conn {
	if t.tls == nil {
		return t.dial(ctx, t.place(attacker).HTTP)
	}
	conn := t.handshake(ctx, t.place(attacker).HTTP, t.tls)
	if conn == nil {
		return nil // and no nil in an interface
	}
	_ = conn.SetDeadline(time.Time{})
	return conn
}

// dial opens a connection. nil: there is none.
func (t *target) dial(ctx context.Context, addr string) net.Conn {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		if ctx.Err() == nil {
			t.note("no connection")
			_ = launch.Pause(ctx, 10*time.Millisecond)
		}
		return nil
	}
	return conn
}

// noteAnswer counts the status line that a node answers with.
func (t *target) noteAnswer(conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(attackTimeout))
	line := make([]byte, len("HTTP/1.1 200"))
	if _, err := io.ReadFull(conn, line); err != nil {
		t.note("cut")
		return
	}
	t.note(string(line[len("HTTP/1.1 "):]))
}
