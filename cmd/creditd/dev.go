package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/creditd/creditd/api/mint"
)

// devReadyTimeout bounds the first election of a single node, with a large log to replay before it.
const devReadyTimeout = 2 * time.Minute

func devCommand(in invocation) int {
	const name = "creditd dev"
	s, helped, err := parseDev(in)
	if helped || err != nil {
		return finish(in, name, err)
	}
	return finish(in, name, runDev(in, s))
}

func runDev(in invocation, s *devSettings) error {
	remove, err := s.chooseDirectory()
	if err != nil {
		return err
	}
	defer remove()
	if err := s.settleRootKey(); err != nil {
		return err
	}
	ctx, stop := untilSignal(in)
	defer stop()
	log := s.log.logger(in)
	return runNode(ctx, s.nodeConfig, log, func(ctx context.Context, r *running) error {
		return s.welcome(ctx, in, r, log)
	})
}

// chooseDirectory makes a directory for the run if none is named. The node gets
// a directory inside, so that a name in the temporary directory never has to
// pass for an empty data directory.
func (s *devSettings) chooseDirectory() (remove func(), err error) {
	if s.dataDir != "" {
		return func() {}, nil
	}
	made, err := os.MkdirTemp("", "creditd-dev-")
	if err != nil {
		return nil, fmt.Errorf("no temporary directory: %w; name one with --data-dir", err)
	}
	s.dataDir, s.temporary = filepath.Join(made, "data"), true
	return func() { _ = os.RemoveAll(made) }, nil
}

// settleRootKey takes the named key, or the one that an earlier run kept, or
// makes one.
func (s *devSettings) settleRootKey() error {
	if s.rootKey != "" {
		return nil
	}
	kept := filepath.Join(s.dataDir, devRootKeyFile)
	key, err := readSecretFile(kept)
	switch {
	case err == nil:
		s.rootKey = key
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the root key of an earlier run cannot be read: %w; name it with --root-key, or name a new --data-dir", err)
	}
	s.rootKey = mint.RootKey()
	if !s.temporary {
		s.keepRootKeyIn = kept
	}
	return nil
}

// welcome prints how to talk to the node.
func (s *devSettings) welcome(ctx context.Context, in invocation, r *running, log *slog.Logger) error {
	waiting, cancel := context.WithTimeout(ctx, devReadyTimeout)
	defer cancel()
	err := r.awaitReady(waiting, log)
	if ctx.Err() != nil {
		return nil // it was told to stop first
	}
	if err != nil {
		return err
	}
	c := newClient(r.url, s.rootKey, time.Minute)
	b := banner{url: r.url, rootKey: s.rootKey, dataDir: s.dataDir, temporary: s.temporary}
	if err := s.prepare(ctx, c, &b); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	return b.print(in.stdout)
}

// prepare checks the root key against the ledger and makes the sample data.
func (s *devSettings) prepare(ctx context.Context, c *client, b *banner) error {
	err := c.call(ctx, "cluster.getStatus", struct{}{}, nil)
	var refused *answerError
	if errors.As(err, &refused) && refused.status == http.StatusUnauthorized {
		return fmt.Errorf("--data-dir %s holds a ledger with another root key; name that with --root-key, or name a new directory", s.dataDir)
	}
	if err != nil || !s.demo {
		return err
	}
	sample, err := makeSample(ctx, c)
	if err != nil {
		return fmt.Errorf("--demo: %w", err)
	}
	b.sample = &sample
	return nil
}
