package store

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A disk that cannot be asked is asked several times a second. The log says so once, until it answers.
func TestSpaceMonitor_SaysOnceThatItCannotMeasure(t *testing.T) {
	var text bytes.Buffer
	failing := true
	m := &spaceMonitor{reserve: 10, logger: slog.New(slog.NewTextHandler(&text, nil)), freeBytes: func(string) (uint64, error) {
		if failing {
			return 0, errors.New("stale file handle")
		}
		return 100, nil
	}}
	for range 100 {
		m.measure()
	}
	require.Equal(t, 1, strings.Count(text.String(), "could not be measured"))
	failing = false
	m.measure()
	failing = true
	m.measure()
	require.Equal(t, 2, strings.Count(text.String(), "\n"), text.String())
}
