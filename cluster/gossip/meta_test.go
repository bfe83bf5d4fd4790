package gossip

import (
	"strings"
	"testing"

	"github.com/hashicorp/memberlist"
	"github.com/stretchr/testify/require"
)

func fullMeta() Meta {
	return Meta{
		ClusterID: "0190b1c2", PeerAddr: "10.0.0.1:7071", HTTPAddr: "10.0.0.1:7070",
		Expect: 3, Version: "1.2.3", MinLedger: 1, MaxLedger: 4, Bootstrapped: true,
	}
}

func TestMeta_RoundTripsAndFitsEvenAtItsLargest(t *testing.T) {
	largest := Meta{
		ClusterID: strings.Repeat("c", maxIDBytes),
		PeerAddr:  strings.Repeat("p", maxAddrBytes), HTTPAddr: strings.Repeat("h", maxAddrBytes),
		Version: strings.Repeat("v", maxVersionBytes), Expect: maxExpect, MaxLedger: 255,
	}
	for _, m := range []Meta{{MinLedger: 1, MaxLedger: 1}, fullMeta(), largest} {
		require.NoError(t, m.Validate())
		b := m.encode()
		require.LessOrEqual(t, len(b), memberlist.MetaMaxSize)
		got, err := decodeMeta(b)
		require.NoError(t, err)
		require.Equal(t, m, got)
	}
}

func TestMeta_NamesTheFieldThatDoesNotFit(t *testing.T) {
	for field, m := range map[string]Meta{
		"ClusterID": {ClusterID: strings.Repeat("c", maxIDBytes+1)},
		"PeerAddr":  {PeerAddr: strings.Repeat("p", maxAddrBytes+1)},
		"HTTPAddr":  {HTTPAddr: "caf\xc3\xa9:1"},
		"Version":   {Version: strings.Repeat("v", maxVersionBytes) + "\n"},
		"Expect":    {Expect: maxExpect + 1},
		"MinLedger": {MinLedger: 2, MaxLedger: 1},
	} {
		require.ErrorContains(t, m.Validate(), field)
	}
}

func TestMeta_RefusesWhatIsMalformed(t *testing.T) {
	b := fullMeta().encode()
	for n := range b {
		_, err := decodeMeta(b[:n])
		require.ErrorIs(t, err, errMeta, "%d bytes", n)
	}
	for name, change := range map[string]func([]byte){
		"version": func(b []byte) { b[0] = 2 },
		"range":   func(b []byte) { b[3] = 9 },
		"control": func(b []byte) { b[6] = '\n' },
	} {
		changed := fullMeta().encode()
		change(changed)
		_, err := decodeMeta(changed)
		require.ErrorIs(t, err, errMeta, name)
	}
}

// TestMeta_ReadsOtherBuilds: an early build has a name and may announce no ledger versions; a later one has more to say.
func TestMeta_ReadsOtherBuilds(t *testing.T) {
	const early = "\x01\x01\x03\x00\x00" + "\x03c-1" + "\x06rack 1" + "\x0d10.0.0.1:7071" + "\x0d10.0.0.1:7070" + "\x051.2.3"
	got, err := decodeMeta([]byte(early))
	require.NoError(t, err)
	want := Meta{
		ClusterID: "c-1", PeerAddr: "10.0.0.1:7071", HTTPAddr: "10.0.0.1:7070",
		Expect: 3, Version: "1.2.3", MinLedger: 1, MaxLedger: 1, Bootstrapped: true,
	}
	require.Equal(t, want, got)

	later := append(fullMeta().encode(), "more"...)
	later[1] |= 0x80
	got, err = decodeMeta(later)
	require.NoError(t, err)
	require.Equal(t, fullMeta(), got)
}

// TestMeta_StaysReadableForEarlyBuilds: they accept these bytes only.
func TestMeta_StaysReadableForEarlyBuilds(t *testing.T) {
	m := Meta{ClusterID: "c-1", PeerAddr: "a:1", HTTPAddr: "b:2", Expect: 3, Version: "v1", MinLedger: 1, MaxLedger: 2, Bootstrapped: true}
	require.Equal(t, "\x01\x01\x03\x01\x02\x03c-1\x00\x03a:1\x03b:2\x02v1", string(m.encode()))
}

// FuzzDecodeMeta feeds what a hostile member may gossip: no panic, and what decodes is valid and comes back the same.
func FuzzDecodeMeta(f *testing.F) {
	f.Add([]byte{})
	f.Add(Meta{}.encode())
	f.Add(fullMeta().encode())
	f.Add(encodeLeave("node"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := decodeMeta(b); err == nil {
			require.NoError(t, m.Validate())
			again, err := decodeMeta(m.encode())
			require.NoError(t, err)
			require.Equal(t, m, again)
		}
		if id, ok := decodeLeave(b); ok {
			require.Equal(t, b, encodeLeave(id))
		}
	})
}
