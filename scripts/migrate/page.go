package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/creditd/creditd/scripts/launch"
)

// guide has the commands of a migration, step by step.
const guide = "docs/migrating.md"

// page runs the commands of the guide as they are written, one after the other.
func page(ctx context.Context, b *bench) error {
	root, err := launch.Root()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(guide)))
	if err != nil {
		return err
	}
	blocks := strings.Split(string(text), "\n```sh\n")[1:]
	if len(blocks) == 0 {
		return fmt.Errorf("%s has no commands", guide)
	}
	path := filepath.Join(b.dir, "bin")
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	if err := os.Symlink(b.binary, filepath.Join(path, "creditd")); err != nil {
		return err
	}
	for i, block := range blocks {
		commands, _, closed := strings.Cut(block, "\n```\n")
		if !closed {
			return fmt.Errorf("%s: a block of commands has no end", guide)
		}
		if strings.Contains(commands, "back.ndjson") { // it goes back after the cluster has charged
			if _, err := b.charge(ctx, 100); err != nil {
				return err
			}
		}
		shell := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", commands)
		shell.Dir = b.dir
		shell.Env = append(os.Environ(), append(b.environment(launch.RootKey), "PATH="+path+":"+os.Getenv("PATH"), "MYSQL="+b.server.Shell(b.name))...)
		if out, err := shell.CombinedOutput(); err != nil {
			return fmt.Errorf("%s, block %d: %w\n%s\n%s", guide, i+1, err, commands, bytes.TrimSpace(out))
		}
	}
	// The page ended the migration. Balances were charged since, and another pass would give that back.
	var refused summary
	if err := b.migrate(ctx, &refused); err == nil || !strings.Contains(err.Error(), "no longer follows it") {
		return fmt.Errorf("a pass after the end is not refused: %w", err)
	}
	_, _ = fmt.Fprintf(b.out, "page: %d blocks of commands of %s\n", len(blocks), guide)
	return nil
}
