package gossip

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/gossip/forge"
)

const testLabel = "label"

// pair starts two members that know each other, with or without a key.
func pair(t *testing.T, keyed bool) (victim, other testNode) {
	t.Helper()
	change := func(c *Config) {
		c.Label = testLabel
		if keyed {
			c.SecretKey = bytes.Repeat([]byte{7}, KeyBytes)
		}
	}
	victim, other = start(t, "victim", change), start(t, "other", change)
	_, err := other.Join([]string{victim.Addr()})
	require.NoError(t, err)
	meet(t, victim, other)
	return victim, other
}

// meet waits until two members see each other alive.
func meet(t *testing.T, a, b testNode) {
	t.Helper()
	a.await(t, "sees the other", a.sees(b.conf.NodeID, Alive))
	b.await(t, "sees the other", b.sees(a.conf.NodeID, Alive))
}

// sendStream sends bytes over a connection and waits until the other end closes it.
func sendStream(t *testing.T, to string, data []byte) (answer []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", to)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(deadline)))
	if _, err := conn.Write(data); err == nil {
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	answer, err = io.ReadAll(conn)
	var timeout net.Error
	if errors.As(err, &timeout) {
		require.False(t, timeout.Timeout(), "the connection stays open")
	}
	return answer
}

// stillThere: with a key nobody else has a say in what members think of each other. Without one, strangers can make them doubt each other
// for a while, but not end them.
func stillThere(t *testing.T, victim, other testNode, keyed bool) {
	t.Helper()
	if keyed {
		meet(t, victim, other)
		return
	}
	for _, n := range []testNode{victim, other} {
		answer, err := checkStream(bytes.NewReader(sendStream(t, n.Addr(), forge.Ping(testLabel))), false)
		require.NoError(t, err)
		plain, err := io.ReadAll(answer)
		require.NoError(t, err)
		require.Equal(t, byte(ackType), plain[0])
	}
}

// allocated runs do and returns how much memory this process allocated meanwhile.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestGossip_SurvivesHostilePackets: what ended or filled a node of some version of memberlist, from a stranger. Nothing of it may end the
// node, take more memory than it has bytes by much, or make the members doubt each other for good.
func TestGossip_SurvivesHostilePackets(t *testing.T) {
	packets, streams := forge.Packets(testLabel, "victim"), forge.Streams(testLabel, "victim")
	for _, keyed := range []bool{false, true} {
		t.Run(fmt.Sprintf("keyed=%v", keyed), func(t *testing.T) {
			victim, other := pair(t, keyed)
			sender, err := net.Dial("udp", victim.Addr())
			require.NoError(t, err)
			defer func() { require.NoError(t, sender.Close()) }()
			for _, c := range packets {
				if len(c.Data) == 0 {
					continue
				}
				took := allocated(func() {
					before := victim.Refused()
					if _, err := sender.Write(c.Data); err != nil {
						return // larger than a packet can be
					}
					if keyed {
						require.Eventually(t, func() bool { return victim.Refused() > before }, deadline, time.Millisecond, c.Name)
					}
				})
				require.Less(t, took, uint64(8<<20), c.Name)
			}
			for _, c := range streams {
				took := allocated(func() { sendStream(t, victim.Addr(), c.Data) })
				require.Less(t, took, uint64(32<<20), c.Name)
			}
			require.Greater(t, victim.Refused(), uint64(20))
			stillThere(t, victim, other, keyed)

			newcomer := start(t, "newcomer", func(c *Config) { c.Label, c.SecretKey = testLabel, victim.conf.SecretKey })
			_, err = newcomer.Join([]string{victim.Addr()})
			require.NoError(t, err)
			newcomer.await(t, "sees the victim", newcomer.sees("victim", Alive))
		})
	}
}

// TestGossip_SurvivesRandomPackets, and does not write a line for each.
func TestGossip_SurvivesRandomPackets(t *testing.T) {
	for _, keyed := range []bool{false, true} {
		t.Run(fmt.Sprintf("keyed=%v", keyed), func(t *testing.T) {
			victim, other := pair(t, keyed)
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			random := forge.NewRandom(seed, testLabel, "victim")
			sender, err := net.Dial("udp", victim.Addr())
			require.NoError(t, err)
			defer func() { require.NoError(t, sender.Close()) }()
			for range 5000 {
				if p := random.Packet(); len(p) > 0 {
					_, _ = sender.Write(p)
				}
			}
			for range 100 {
				sendStream(t, victim.Addr(), random.Packet())
			}
			require.Greater(t, victim.Refused(), uint64(500))
			require.Less(t, victim.logs.count("\n"), 200, "no line for each packet")
			stillThere(t, victim, other, keyed)
		})
	}
}

// TestGossip_BoundsInventedMembers: without a key, anybody may announce members.
func TestGossip_BoundsInventedMembers(t *testing.T) {
	victim, other := pair(t, false)
	sender, err := net.Dial("udp", victim.Addr())
	require.NoError(t, err)
	defer func() { require.NoError(t, sender.Close()) }()
	full := func() bool { return victim.logs.count("more than a cluster has") > 0 }
	for i := 0; !full() && i < 20_000; i++ {
		_, err := sender.Write(forge.WithLabel(testLabel, forge.Alive(fmt.Sprint("invented-", i), []byte{127, 0, 0, 1}, 9, nil)))
		require.NoError(t, err)
		if i%100 == 0 {
			runtime.Gosched()
		}
	}
	require.Eventually(t, full, deadline, time.Millisecond)
	require.LessOrEqual(t, len(victim.Members()), 2+maxNewcomers+5)
	require.Less(t, victim.logs.count("\n"), 200, "no line for each of them")
	meet(t, victim, other)
}

// A flood costs little more than its arrival, and other hosts are heard beside it.
func TestPacketBudget_IsOneForEachHost(t *testing.T) {
	var b packetBudget
	at := func(host string, port uint16) netip.Addr {
		return hostOfPacket(netip.AddrPortFrom(netip.MustParseAddr(host), port))
	}
	now := time.Unix(100, 0)
	for i := range maxPacketsPerSecond {
		require.True(t, b.allows(at("10.0.0.9", uint16(i)), now))
		require.True(t, b.allows(at(fmt.Sprintf("2001:db8::%x", i), 1), now))
	}
	require.False(t, b.allows(at("10.0.0.9", 1), now))
	require.False(t, b.allows(at("2001:db8::ffff", 1), now), "one host may have all addresses of its network")
	require.True(t, b.allows(at("10.0.0.2", 1), now))
	require.True(t, b.allows(at("10.0.0.9", 1), now.Add(time.Second)))
	for i := range 2 * maxSources {
		b.allows(at(fmt.Sprintf("10.1.%d.%d", i/256, i%256), 1), now)
	}
	require.LessOrEqual(t, len(b.counts), maxSources)
}

// A packet that is refused for its length cost nothing. Others may send it in a member's name, and must not silence the member by it.
func TestGossip_LongPacketsSilenceNobody(t *testing.T) {
	keyed, now := transport{keyed: true}, time.Unix(100, 0)
	var budget packetBudget
	send := func(host byte, length int) error {
		_, err := keyed.admit(&budget, make([]byte, length), netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, host}), 1), now)
		return err
	}
	require.NoError(t, send(1, 100))
	for range maxRefusedKnown + 1 {
		require.ErrorIs(t, send(1, maxPacketBytes+1), errTooLarge)
		require.ErrorIs(t, send(2, maxPacketBytes+1), errTooLarge)
	}
	require.NoError(t, send(1, 100))
	require.NoError(t, send(2, 100), "one that was not heard before")
	require.NoError(t, send(3, 100))
}

// A flood must not make the garbage collector work: packets that nobody takes are read into one buffer.
func TestGossip_AFloodAllocatesLittle(t *testing.T) {
	victim, other := pair(t, true)
	sender, err := net.Dial("udp", victim.Addr())
	require.NoError(t, err)
	defer func() { require.NoError(t, sender.Close()) }()
	long := make([]byte, maxPacketBytes+1)
	before := victim.Refused()
	took := allocated(func() {
		for range 10 { // some are lost when they come faster than they are read
			seen := victim.Refused()
			for range 200 {
				_, err := sender.Write(long)
				require.NoError(t, err)
			}
			require.Eventually(t, func() bool { return victim.Refused() > seen }, deadline, time.Millisecond)
		}
	})
	read := victim.Refused() - before
	require.Greater(t, read, uint64(100))
	require.Less(t, took/read, uint64(16<<10), "bytes for each of %d packets", read)
	stillThere(t, victim, other, true)
}

// Packets that fail cost a bounded part of a second, from however many hosts they come. Hosts that packets were taken from are heard on.
func TestPacketBudget_BoundsWhatFails(t *testing.T) {
	var b packetBudget
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	now := time.Unix(100, 0)
	member := at(0)
	require.True(t, b.allows(member, now))
	b.note(member, true, 0)
	read := 0
	for range 100 {
		if b.allows(at(1), now) {
			read++
			b.note(at(1), false, 100)
		}
	}
	require.Equal(t, maxRefused, read)
	read = 0
	for i := range 2000 {
		if b.allows(at(2+i), now) {
			read++
			b.note(at(2+i), false, maxUnpackedBytes)
		}
	}
	require.LessOrEqual(t, read, maxRefusedBytes/maxUnpackedBytes+1)
	require.True(t, b.allows(member, now))
	now = now.Add(time.Second)
	require.True(t, b.allows(at(1), now))
	for i := range 2000 {
		if b.allows(at(2+i), now) {
			b.note(at(2+i), false, maxUnpackedBytes)
		}
	}
	require.True(t, b.allows(member, now), "it was taken from in the second before")
}

func TestNewcomers_AreTakenOverTime(t *testing.T) {
	var n newcomers
	now := time.Unix(100, 0)
	for range maxNewcomers {
		require.NoError(t, n.take(now))
	}
	require.ErrorIs(t, n.take(now), errTooMany)
	require.NoError(t, n.take(now.Add(newcomerInterval)))
	require.ErrorIs(t, n.take(now.Add(newcomerInterval)), errTooMany)
}

func TestLineLimit_TellsWhatItHeldBack(t *testing.T) {
	var l lineLimit
	now := time.Unix(100, 0)
	written := 0
	for range 1000 {
		if ok, held := l.passes("memberlist: Failed", now); ok {
			require.Zero(t, held)
			written++
		}
	}
	require.Equal(t, linesPerKind, written)
	ok, held := l.passes("memberlist: Failed", now.Add(lineInterval))
	require.True(t, ok)
	require.Equal(t, 1000-linesPerKind, held)
	for i := range 10 * maxLineKinds {
		l.passes(fmt.Sprint(i), now)
	}
	require.LessOrEqual(t, len(l.kinds), maxLineKinds)
}
