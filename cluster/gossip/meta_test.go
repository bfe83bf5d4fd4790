package gossip

import (
	"strings"
	"testing"

	"github.com/hashicorp/memberlist"
	"github.com/stretchr/testify/require"
)

func fullMeta() Meta {
	return Meta{
		ClusterID: "0190b1c2", Name: "rack 1", PeerAddr: "10.0.0.1:7071", HTTPAddr: "10.0.0.1:7070",
		Expect: 3, Version: "1.2.3", MinCommand: 1, MaxCommand: 4, Bootstrapped: true,
	}
}

func TestMeta_RoundTripsAndFitsEvenAtItsLargest(t *testing.T) {
	largest := Meta{
		ClusterID: strings.Repeat("c", maxIDBytes), Name: strings.Repeat("n", maxNameBytes),
		PeerAddr: strings.Repeat("p", maxAddrBytes), HTTPAddr: strings.Repeat("h", maxAddrBytes),
		Version: strings.Repeat("v", maxVersionBytes), Expect: maxExpect, MaxCommand: 255,
	}
	for _, m := range []Meta{{}, fullMeta(), largest} {
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
		"ClusterID":  {ClusterID: strings.Repeat("c", maxIDBytes+1)},
		"Name":       {Name: "line\nbreak"},
		"PeerAddr":   {PeerAddr: strings.Repeat("p", maxAddrBytes+1)},
		"HTTPAddr":   {HTTPAddr: "caf\xc3\xa9:1"},
		"Version":    {Version: strings.Repeat("v", maxVersionBytes+1)},
		"Expect":     {Expect: maxExpect + 1},
		"MinCommand": {MinCommand: 2, MaxCommand: 1},
	} {
		require.ErrorContains(t, m.Validate(), field)
	}
}

func TestMeta_RefusesEveryOtherEncoding(t *testing.T) {
	b := fullMeta().encode()
	for n := range b {
		_, err := decodeMeta(b[:n])
		require.ErrorIs(t, err, errMeta, "%d bytes", n)
	}
	_, err := decodeMeta(append(b, 0))
	require.ErrorIs(t, err, errMeta)
	for name, change := range map[string]func([]byte){
		"version": func(b []byte) { b[0] = 2 },
		"flags":   func(b []byte) { b[1] |= 2 },
		"range":   func(b []byte) { b[3] = 9 },
		"control": func(b []byte) { b[6] = '\n' },
	} {
		changed := fullMeta().encode()
		change(changed)
		_, err := decodeMeta(changed)
		require.ErrorIs(t, err, errMeta, name)
	}
}

// FuzzDecodeMeta feeds what a hostile member may gossip: no panic, and what
// decodes encodes to the same bytes.
func FuzzDecodeMeta(f *testing.F) {
	f.Add([]byte{})
	f.Add(Meta{}.encode())
	f.Add(fullMeta().encode())
	f.Add(encodeLeave("node"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := decodeMeta(b); err == nil {
			require.Equal(t, b, m.encode())
		}
		if id, ok := decodeLeave(b); ok {
			require.Equal(t, b, encodeLeave(id))
		}
	})
}
