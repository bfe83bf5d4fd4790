package schema

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Eight bytes at once are plain if each of them is plain and ASCII.
func TestScanner_AllPlainIsPlainOfEach(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	check := func(b [8]byte) {
		want := true
		for _, c := range b {
			want = want && plain[c] && c < 0x80
		}
		require.Equal(t, want, allPlain(binary.LittleEndian.Uint64(b[:])), "%q", b)
	}
	const common = "a b\x1f\x20!\"#[\\]\x7f\x80\x00\xff"
	for at := range 8 {
		for c := range 256 {
			for _, rest := range common {
				var b [8]byte
				for i := range b {
					b[i] = byte(rest)
				}
				b[at] = byte(c)
				check(b)
			}
		}
	}
	for range 10_000 {
		var b [8]byte
		for i := range b {
			b[i] = common[random.IntN(len(common))]
		}
		check(b)
	}
}
