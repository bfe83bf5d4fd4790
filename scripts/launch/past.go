package launch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrNoHistory means that this checkout lacks a commit.
var ErrNoHistory = errors.New("the checkout does not have the commit")

// Past compiles creditd as it was at a commit, without the race detector, and returns the binary's path. It is compiled once in each checkout.
func Past(ctx context.Context, commit string) (binary string, err error) {
	home, err := Root()
	if err != nil {
		return "", err
	}
	shelf := filepath.Join(home, "bin", ".built")
	binary = filepath.Join(shelf, "creditd-"+commit)
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if exec.CommandContext(ctx, "git", "-C", home, "cat-file", "-e", commit+"^{commit}").Run() != nil {
		return "", fmt.Errorf("%w %s", ErrNoHistory, commit)
	}
	if err := os.MkdirAll(shelf, 0o755); err != nil {
		return "", err
	}
	source, err := os.MkdirTemp(shelf, "past-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(source)) }()
	run := func(in []byte, name string, args ...string) ([]byte, error) {
		var out, complaints bytes.Buffer
		command := exec.CommandContext(ctx, name, args...)
		command.Dir, command.Stdin, command.Stdout, command.Stderr = source, bytes.NewReader(in), &out, &complaints
		if err := command.Run(); err != nil {
			return nil, fmt.Errorf("%s %v: %w: %s", name, args, err, complaints.String())
		}
		return out.Bytes(), nil
	}
	packed, err := run(nil, "git", "-C", home, "archive", "--format=tar", commit)
	if err != nil {
		return "", err
	}
	if _, err := run(packed, "tar", "-x"); err != nil {
		return "", err
	}
	made := filepath.Join(source, "creditd.made")
	if _, err := run(nil, "go", "build", "-buildvcs=false", "-ldflags", "-X main.version=v0.0.0-"+commit[:12], "-o", made, "./cmd/creditd"); err != nil {
		return "", err
	}
	return binary, os.Rename(made, binary) // another test may do the same: whoever is last replaces an equal one
}
