package launch

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Faulty is the tag of a creditd into which Cluster.Inject injects faults.
const Faulty = "chaos"

// Build says which command to compile. The zero value is creditd as it is released.
type Build struct {
	Module  string // directory of another module of this checkout; its root is the command
	Package string // from the root of the checkout; ./cmd/creditd unless given
	Tags    string // separated by commas
	Race    bool
	Version string // what the binary says of itself
}

// Into compiles into dir and returns the binary's path. It works from any directory of the checkout.
func (b Build) Into(ctx context.Context, dir string) (binary string, err error) {
	home, err := Root()
	if err != nil {
		return "", err
	}
	shelf := filepath.Join(home, "bin", ".built")
	name, pkg := "creditd", "./cmd/creditd"
	switch {
	case b.Module != "":
		home, name, pkg = filepath.Join(home, b.Module), filepath.Base(b.Module), "."
	case b.Package != "":
		name, pkg = filepath.Base(b.Package), b.Package
	}
	name = strings.Join(append([]string{name}, strings.FieldsFunc(b.Tags, func(r rune) bool { return r == ',' })...), "-")
	if binary, err = filepath.Abs(filepath.Join(dir, name)); err != nil {
		return "", err
	}
	var args []string
	if b.Tags != "" {
		args = append(args, "-tags", b.Tags)
	}
	if b.Race {
		args = append(args, "-race")
	}
	if b.Version != "" {
		args = append(args, "-ldflags", "-X main.version="+b.Version)
	}
	build := func(output string) error {
		command := exec.CommandContext(ctx, "go", append(append([]string{"build", "-buildvcs=false", "-o", output}, args...), pkg)...)
		command.Dir = home
		command.Env = append(os.Environ(), "GOTMPDIR="+filepath.Dir(output)) // from where go renames: others see the whole binary or none
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s in %s: %w\n%s", pkg, home, err, out)
		}
		return nil
	}
	// go links nothing again whose binary is where go put it. So the suites share their binaries.
	kept := filepath.Join(shelf, fmt.Sprintf("%s-%08x", name, crc32.ChecksumIEEE([]byte(strings.Join(args, " ")))))
	if err := errors.Join(os.MkdirAll(shelf, 0o755), os.MkdirAll(filepath.Dir(binary), 0o755)); err != nil {
		return "", err
	}
	if err := build(kept); err != nil {
		return "", err
	}
	if err := os.Remove(binary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if os.Link(kept, binary) != nil { // another file system
		err = build(binary)
	}
	return binary, err
}

// Root is the root of the checkout that contains the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working directory: run this inside the checkout")
		}
		dir = parent
	}
}
