package launch

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// Main runs a suite until it is done or interrupted, and exits with its code.
func Main(run func(ctx context.Context, args []string, stdout, stderr io.Writer) int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// WorkDir returns the directory for logs and data of a suite: dir if given, else a new one below chaos-out.
func WorkDir(dir string) (string, error) {
	if dir != "" {
		return dir, os.MkdirAll(dir, 0o755)
	}
	if err := os.MkdirAll("chaos-out", 0o755); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("chaos-out", time.Now().Format("20060102-150405-"))
	if err != nil {
		return "", err
	}
	return filepath.Abs(dir)
}

// InWorkDir runs a suite in its WorkDir and returns its exit code. A directory that was made for a suite that succeeds is removed; else
// stderr says what failed and where logs and data are.
func InWorkDir(name, given string, stderr io.Writer, suite func(dir string) error) int {
	dir, err := WorkDir(given)
	if err == nil {
		err = suite(dir)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: %v\nlogs and data: %s\n", name, err, dir)
		return 1
	}
	if given == "" {
		_ = os.RemoveAll(dir)
	}
	return 0
}

// Seed returns the given seed, or draws one in place of 0.
func Seed(given uint64) uint64 {
	for given == 0 {
		given = rand.Uint64() >> 32 // short enough to type
	}
	return given
}
