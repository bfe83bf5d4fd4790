package certs

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// keep makes a Keeper of a certificate that its check refuses from its end on, and returns how to put another one into its files.
func keep(t *testing.T, now *time.Time) (k *Keeper, replace func(life time.Duration)) {
	t.Helper()
	dir := t.TempDir()
	files := Files{Cert: filepath.Join(dir, "node.crt"), Key: filepath.Join(dir, "node.key")}
	replace = func(life time.Duration) {
		t.Helper()
		for _, file := range []string{files.Cert, files.Key} {
			if err := os.Remove(file); !errors.Is(err, os.ErrNotExist) {
				require.NoError(t, err)
			}
		}
		made, err := NewAuthority("node", *now, life)
		require.NoError(t, err)
		require.NoError(t, made.Write(files.Cert, files.Key))
	}
	replace(time.Hour)
	k, err := Keep("peer", files, func(l *Loaded) error {
		if now.After(l.Pair.Leaf.NotAfter) {
			return errors.New("ended before " + now.String())
		}
		return nil
	})
	require.NoError(t, err)
	return k, replace
}

// TestKeeper_SaysOnceThatACertificateEnded: its files are what they were, so nothing says that they were changed.
func TestKeeper_SaysOnceThatACertificateEnded(t *testing.T) {
	now := time.Now()
	k, replace := keep(t, &now)
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, nil))
	look := func(times int) {
		for range times {
			now = now.Add(pollInterval)
			k.Reload(log)
			k.warn(now, log)
		}
	}
	look(100)
	require.Equal(t, 1, strings.Count(text.String(), "\n"), text.String())
	require.Contains(t, text.String(), "a certificate ends soon")
	text.Reset()
	now = now.Add(2 * time.Hour)
	look(100)
	require.Equal(t, 1, strings.Count(text.String(), "\n"), text.String())
	require.Contains(t, text.String(), "a certificate has ended")
	require.False(t, k.failing.Load())

	text.Reset()
	old := k.Current()
	replace(-time.Minute)
	look(100)
	require.Equal(t, 1, strings.Count(text.String(), "\n"), text.String())
	require.Contains(t, text.String(), "cannot be used: the certificate before stays in use")
	require.True(t, k.failing.Load())
	require.Same(t, old, k.Current())

	text.Reset()
	replace(90 * 24 * time.Hour)
	look(100)
	require.Equal(t, 2, strings.Count(text.String(), "\n"), text.String())
	require.Contains(t, text.String(), "can be used again")
	require.Contains(t, text.String(), "certificate loaded")
	require.False(t, k.failing.Load())
}
