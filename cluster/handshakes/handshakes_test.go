package handshakes

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A host whose handshakes fail is heard again in the next second. Others, and this machine, are heard all the time.
func TestHandshakes_AreBoundedForEachHost(t *testing.T) {
	const most = 50
	f := Failures{Most: most}
	now := time.Unix(1000, 0)
	for range most {
		require.True(t, f.Allows("10.0.0.9:1", now))
		f.Note("10.0.0.9:1", now)
		f.Note("127.0.0.1:1", now)
		f.Note("127.0.0.1:1", now)
	}
	require.False(t, f.Allows("10.0.0.9:1", now))
	require.False(t, f.Allows("10.0.0.9:2", now), "whatever its port")
	require.False(t, f.Allows("[::ffff:10.0.0.9]:2", now), "however it is written")
	require.True(t, f.Allows("10.0.0.2:1", now))
	require.True(t, f.Allows("127.0.0.1:1", now))
	require.True(t, f.Allows("10.0.0.9:1", now.Add(time.Second)))
}

// Members are often in one network of 64 bits, and a stranger in it must not silence them. A stranger elsewhere may have all of its addresses.
func TestHandshakes_CountNetworksWhereStrangersConnect(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, networks := range []bool{false, true} {
		f := Failures{Most: 1, Networks: networks}
		f.Note("[2001:db8::9]:1", now)
		require.False(t, f.Allows("[2001:db8::9]:1", now))
		require.Equal(t, !networks, f.Allows("[2001:db8::2]:1", now))
		require.True(t, f.Allows("[2001:db8:0:1::2]:1", now))
		f.Note("[::1]:1", now)
		require.True(t, f.Allows("[::1]:1", now))
	}
}

func TestHandshakes_AreBoundedInMemory(t *testing.T) {
	f := Failures{Most: 1}
	now := time.Unix(1000, 0)
	for i := range 2 * maxHosts {
		f.Note(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 1).String(), now)
	}
	require.Len(t, f.failed, maxHosts)
	none := Failures{}
	none.Note("10.0.0.9:1", now)
	require.True(t, none.Allows("10.0.0.9:1", now), "0: any number")
}
