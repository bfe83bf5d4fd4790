package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The newest lines stay, whole, and their memory has a bound.
func TestLogRing_KeepsTheNewestLines(t *testing.T) {
	var ring logRing
	log := slog.New(slog.NewTextHandler(&ring, nil))
	const count = 30_000
	for i := range count {
		log.Info("line", "n", i)
	}
	require.LessOrEqual(t, cap(ring.older)+cap(ring.newest), logRingBytes)
	text := string(ring.lines())
	require.GreaterOrEqual(t, len(text), logRingBytes/2-100)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		require.Regexp(t, fmt.Sprintf(`^time=\S+ level=INFO msg=line n=%d$`, count-len(lines)+i), line)
	}

	n, err := ring.Write(bytes.Repeat([]byte("x"), 2*logRingBytes))
	require.NoError(t, err)
	require.Equal(t, 2*logRingBytes, n)
	log.Info("after")
	require.LessOrEqual(t, cap(ring.older)+cap(ring.newest), logRingBytes)
	kept := string(ring.lines())
	require.Contains(t, kept, "msg=after")
	require.Equal(t, "\n", kept[logRingBytes/2-1:logRingBytes/2], "a line that is too long is cut")
	line := []byte("a line\n")
	require.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = ring.Write(line) }))
}
