package gossip

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// forgedAlive is a packet that says that "forged" is alive at addr, with one protocol version instead of six.
func forgedAlive(addr netip.AddrPort) []byte {
	const aliveMessage, mapOf6 = 4, 0x86
	b := append([]byte{aliveMessage, mapOf6}, "\xabIncarnation\x01\xa4Node\xa6forged\xa4Addr\xa4"...)
	b = append(b, addr.Addr().AsSlice()...)
	b = append(b, "\xa4Port\xcd"...)
	b = binary.BigEndian.AppendUint16(b, addr.Port())
	return append(b, "\xa4Meta\xa0\xa3Vsn\xa1\x01"...)
}

// TestGossip_SurvivesAForgedPacket: without a key anybody may send a packet. This one, of some 60 bytes, ended every node that got it
// with memberlist before v0.7.0.
func TestGossip_SurvivesAForgedPacket(t *testing.T) {
	victim := start(t, "victim", nil)
	sender, err := net.Dial("udp", victim.Addr())
	require.NoError(t, err)
	defer func() { require.NoError(t, sender.Close()) }()
	_, err = sender.Write(forgedAlive(netip.MustParseAddrPort(sender.LocalAddr().String())))
	require.NoError(t, err)
	refused := func() bool { return victim.logs.count("ignoring alive message for 'forged'") > 0 }
	require.Eventually(t, refused, deadline, 10*time.Millisecond, "the packet was not read")
	require.Empty(t, victim.member("forged").ID)

	// A member without versions would keep every newcomer out.
	other := start(t, "other", nil)
	_, err = other.Join([]string{victim.Addr()})
	require.NoError(t, err)
	other.await(t, "the victim", other.sees("victim", Alive))
	victim.await(t, "the other", victim.sees("other", Alive))
}
