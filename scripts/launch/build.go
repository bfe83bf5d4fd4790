package launch

import (
	"context"
	"errors"
	"fmt"
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
	args := []string{"build", "-buildvcs=false", "-o", binary}
	if b.Tags != "" {
		args = append(args, "-tags", b.Tags)
	}
	if b.Race {
		args = append(args, "-race")
	}
	if b.Version != "" {
		args = append(args, "-ldflags", "-X main.version="+b.Version)
	}
	command := exec.CommandContext(ctx, "go", append(args, pkg)...)
	command.Dir = home
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s in %s: %w\n%s", pkg, home, err, out)
	}
	return binary, nil
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
