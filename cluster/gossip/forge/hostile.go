package forge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// Case is something to send.
type Case struct {
	Name string
	Data []byte
}

// Packets returns packets against the node with an id, in a cluster with a label.
func Packets(label, victim string) []Case {
	local := []byte{127, 0, 0, 1}
	cases := []Case{
		{"nothing", nil},
		{"a bomb of 32 MiB", bomb(user, 32<<20)},
		{"a small bomb", bomb(user, 300_000)},
		{"a bomb in a bomb", nested(append([]byte{user}, make([]byte, 1<<20)...), 5, pack)},
		{"a bomb with a checksum", withChecksum(bomb(ping, 300_000))},
		{"a bomb in a compound message", compoundOf(bomb(user, 1<<20))},
		{"a compressed nothing", pack(nil)},
		{"compressed twice", pack(pack(message(user, nil)))},
		{"an unknown compression", message(compressed, fields{"Algo": 9, "Buf": make([]byte, 10)})},
		{"a compound message of nothing", []byte{compound}},
		{"a compound message without lengths", []byte{compound, 255, 0}},
		{"a compound message of empty parts", compoundOf(make([][]byte, 255)...)},
		{"a truncated compound message", []byte{compound, 1, 255, 255, ping}},
		{"compound messages in each other", nested([]byte{user, 1}, 300, func(b []byte) []byte { return compoundOf(b) })},
		{"checksums in each other", nested([]byte{user, 1}, 200, withChecksum)},
		{"a wrong checksum", append(withChecksum([]byte{user, 1}), 2)},
		{"a checksum of nothing", withChecksum(nil)},
		{"what claims to be encrypted", append([]byte{encrypted, 0, 0, 0, 0}, 1, 2, 3)},
		{"a suspicion of the node itself", message(suspect, fields{"Incarnation": 1<<32 - 1, "Node": victim, "From": "x"})},
		{"the death of the node itself", message(dead, fields{"Incarnation": 1<<32 - 1, "Node": victim, "From": victim})},
		{"a text of 4 GiB", claim(ping, "Node", 1<<32-1)},
		{"a source that is no address", message(ping, fields{"SeqNo": 1, "Node": victim, "SourceAddr": []byte{1, 2, 3}, "SourcePort": 0, "SourceNode": "x"})},
		{"an indirect ping to nowhere", message(indirectPing, fields{"SeqNo": 1, "Target": []byte{}, "Port": 0, "Node": "x", "Nack": true})},
		{"an indirect ping to half an address", message(indirectPing, fields{"SeqNo": 1, "Target": []byte{1, 2}, "Port": 9, "Node": "", "Nack": true})},
		{"an answer that nobody asked for", message(ack, fields{"SeqNo": 1, "Payload": make([]byte, 100)})},
		{"an error", message(fault, fields{"Error": "x"})},
		{"deep lists", deep(alive, 1500)},
	}
	for n := range 7 {
		for _, name := range []string{victim, "invented"} {
			cases = append(cases, Case{fmt.Sprintf("%s alive with %d versions", name, n), message(alive, fields{
				"Incarnation": 1<<32 - 2, "Node": name, "Addr": local, "Port": 9, "Meta": []byte{}, "Vsn": []byte{1, 5, 2, 0, 0, 0}[:min(n, 6)],
			})})
		}
	}
	for _, addr := range [][]byte{{}, {1}, make([]byte, 5), make([]byte, 17)} {
		cases = append(cases, Case{fmt.Sprintf("alive at an address of %d bytes", len(addr)), Alive("odd", addr, 9, make([]byte, 600))})
	}
	for i := range cases {
		cases[i].Data = withLabel(label, cases[i].Data)
	}
	return append(cases,
		Case{"a label without a size", []byte{labelled}}, Case{"an empty label", []byte{labelled, 0, ping}},
		Case{"a truncated label", []byte{labelled, 255, 'x'}}, Case{"another label", withLabel("other", message(ping, nil))},
		Case{"65,000 bytes", make([]byte, 65_000)},
	)
}

// Alive is a message without a label that announces a member.
func Alive(name string, addr []byte, port uint16, meta []byte) []byte {
	return message(alive, fields{"Incarnation": 1, "Node": name, "Addr": addr, "Port": port, "Meta": meta, "Vsn": []byte{1, 5, 2, 0, 0, 0}})
}

// WithLabel puts the label of a cluster before a message.
func WithLabel(label string, b []byte) []byte { return withLabel(label, b) }

// Streams returns what to send over a connection. A sender closes its half afterwards.
func Streams(label, victim string) []Case {
	state := func(kind, versions int) []byte {
		m := message(0, fields{"Name": "invented", "Addr": []byte{127, 0, 0, 1}, "Port": 9, "Meta": []byte{}, "Incarnation": 5, "State": kind,
			"Vsn": []byte{1, 5, 2, 0, 0, 0}[:versions]})
		return m[1:] // a state has no type
	}
	exchange := func(nodes, bytes any, states ...[]byte) []byte {
		b := message(pushPull, fields{"Nodes": nodes, "UserStateLen": bytes, "Join": true})
		for _, s := range states {
			b = append(b, s...)
		}
		return b
	}
	cases := []Case{
		{"nothing", nil},
		{"a million members", exchange(1<<20, 0)},
		{"a negative number of members", exchange(-1, 0)},
		{"more members than fit", exchange(int64(1)<<62, 0)},
		{"20 MiB of state", exchange(0, 20<<20)},
		{"a negative size of state", exchange(0, -5)},
		{"fewer members than it says", exchange(3, 0, state(0, 6))},
		{"a message of 20 MiB", message(user, fields{"UserMsgLen": 20 << 20})},
		{"a message of negative size", message(user, fields{"UserMsgLen": -1})},
		{"a bomb of 39 MiB", bomb(user, 39<<20)},
		{"a bomb in a bomb", nested(append([]byte{user}, make([]byte, 1<<20)...), 5, pack)},
		{"a compressed nothing", pack(nil)},
		{"a million members, compressed", pack(exchange(1<<20, 0))},
		{"what claims to be encrypted", append(binary.BigEndian.AppendUint32([]byte{encrypted}, 1<<32-1), 1)},
		{"an encrypted nothing", []byte{encrypted, 0, 0, 0, 0}},
		{"19 MiB that claim to be encrypted", append(binary.BigEndian.AppendUint32([]byte{encrypted}, 19<<20), make([]byte, 19<<20)...)},
		{"a text of 4 GiB", claim(ping, "Node", 1<<32-1)},
		{"a ping to another", message(ping, fields{"SeqNo": 1, "Node": victim + "x"})},
		{"an error", message(fault, fields{"Error": "x"})},
		{"an unknown type", []byte{77, 1, 2}},
		{"deep lists", deep(pushPull, 1_000_000)},
		{"deep lists in a ping", deep(ping, 1_000_000)},
	}
	for versions := range 7 {
		for _, kind := range []int{0, 1, 2, 3, 255} {
			cases = append(cases, Case{fmt.Sprintf("a member of kind %d with %d versions", kind, versions), exchange(1, 0, state(kind, min(versions, 6)))})
		}
	}
	for i := range cases {
		cases[i].Data = withLabel(label, cases[i].Data)
	}
	return append(cases, Case{"a label without a size", []byte{labelled}}, Case{"a truncated label", []byte{labelled, 255, 'x'}})
}

// Random makes packets that look more or less like those of a member.
type Random struct {
	r     *rand.Rand
	label string
	known [][]byte
}

// NewRandom returns a source of packets. Equal seeds give equal packets.
func NewRandom(seed uint64, label, victim string) *Random {
	m := &Random{r: rand.New(rand.NewPCG(seed, 0)), label: label}
	for _, c := range Packets("", victim) {
		if len(c.Data) <= 1400 {
			m.known = append(m.known, c.Data)
		}
	}
	return m
}

func (m *Random) noise(most int) []byte {
	b := make([]byte, m.r.IntN(most))
	for i := range b {
		b[i] = byte(m.r.Uint32())
	}
	return b
}

// Packet returns bytes at random, a message with random bytes behind its type, or a known packet with random changes.
func (m *Random) Packet() []byte {
	var b []byte
	switch m.r.IntN(5) {
	case 0:
		return m.noise(1400)
	case 1:
		b = append([]byte{byte(m.r.IntN(16))}, m.noise(300)...)
	case 2:
		b = compoundOf(m.noise(50), append([]byte{byte(m.r.IntN(16))}, m.noise(100)...), m.known[m.r.IntN(len(m.known))])
	default:
		b = bytes.Clone(m.known[m.r.IntN(len(m.known))])
		for range m.r.IntN(4) {
			if len(b) > 0 {
				b[m.r.IntN(len(b))] ^= 1 << m.r.IntN(8)
			}
		}
		b = b[:min(len(b), m.r.IntN(1400)+1)]
	}
	if m.r.IntN(3) == 0 {
		b = pack(b)
	}
	if m.r.IntN(3) == 0 {
		b = withChecksum(b)
	}
	return withLabel(m.label, b[:min(len(b), 1500)])
}
