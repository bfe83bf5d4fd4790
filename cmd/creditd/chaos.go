//go:build chaos

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/creditd/creditd/cmd/creditd/internal/settings"
	"github.com/creditd/creditd/store"
	"github.com/creditd/creditd/store/failpoint"
)

// This file is part of builds for tests only:
//
//	go build -tags chaos ./cmd/creditd
//
// Such a node reads files in a directory beside its data directory, at its start and then every 10 ms: DATA-DIR.chaos. A file that is
// missing or empty does nothing, so a cluster runs as usual until one is written. To change one while a node runs, write it under another
// name and rename it.
//
//	clock        shifts the wall clock: a signed duration (+1h, -8760h, 250ms), or "frozen" to stop it where it is
//	disk-free    what the node believes to be free on its disk: 10MiB; the disk itself is left alone
//	failpoints   arms failpoints: log-before-store=kill@3 and the like; package store/failpoint has the names and the form
//
// The node logs what it found as "planted".
type chaos struct {
	dir string
	log *slog.Logger

	mu     sync.Mutex
	offset time.Duration // guarded by mu
	frozen time.Time     // guarded by mu: zero unless the clock stands still
	free   string        // guarded by mu: empty unless the free space is planted
}

// chaosInterval is how often the files are looked at.
const chaosInterval = 10 * time.Millisecond

// injectFaults starts to follow the files. What they hold at the start is in effect when it returns.
func injectFaults(conf nodeConfig, log *slog.Logger) (host, error) {
	c := &chaos{dir: filepath.Clean(conf.store.Dir) + ".chaos", log: log}
	files := []*chaosFile{
		{name: "clock", apply: c.setClock},
		{name: "disk-free", apply: c.setFree},
		{name: "failpoints", apply: failpoint.Arm},
	}
	for _, f := range files {
		if err := c.look(f); err != nil {
			return host{}, err
		}
	}
	go func() { // for as long as the process lives
		for range time.Tick(chaosInterval) {
			for _, f := range files {
				if err := c.look(f); err != nil {
					log.Error("not planted", "err", err)
				}
			}
		}
	}()
	return host{now: c.now, free: c.freeBytes}, nil
}

// chaosFile is one file and what its content does.
type chaosFile struct {
	name  string
	apply func(text string) error
	last  []byte
}

// look applies a file that changed.
func (c *chaos) look(f *chaosFile) error {
	path := filepath.Join(c.dir, f.name)
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if bytes.Equal(data, f.last) {
		return nil
	}
	f.last = data
	text := strings.TrimSpace(string(data))
	if err := f.apply(text); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	c.log.Warn("planted", "file", f.name, "content", text)
	return nil
}

func (c *chaos) setClock(text string) error {
	var offset time.Duration
	var frozen time.Time
	switch text {
	case "":
	case "frozen":
		frozen = c.now()
	default:
		var err error
		if offset, err = time.ParseDuration(text); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.frozen = offset, frozen
	return nil
}

// now is the wall clock as the node sees it.
func (c *chaos) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.frozen.IsZero() {
		return c.frozen
	}
	return time.Now().Add(c.offset)
}

func (c *chaos) setFree(text string) error {
	if _, err := settings.ParseSize(text); err != nil && text != "" {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free = text
	return nil
}

func (c *chaos) freeBytes(dir string) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.free != "" {
		return settings.ParseSize(c.free)
	}
	return store.FreeBytes(dir)
}
