package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build compiles creditd into dir and returns the binary's path. It works from any directory of the checkout.
func Build(ctx context.Context, dir string, race bool) (string, error) {
	return BuildPackage(ctx, dir, "./cmd/creditd", race)
}

// BuildFaulty is Build with the failpoints and the false clock that Plant needs.
func BuildFaulty(ctx context.Context, dir string, race bool) (string, error) {
	return buildPackage(ctx, dir, "./cmd/creditd", race, "-tags", "chaos")
}

// BuildPackage compiles a command of this module, named from the module's root.
func BuildPackage(ctx context.Context, dir, pkg string, race bool) (string, error) {
	return buildPackage(ctx, dir, pkg, race)
}

func buildPackage(ctx context.Context, dir, pkg string, race bool, flags ...string) (string, error) {
	if race {
		flags = append(flags, "-race")
	}
	return build(ctx, ".", filepath.Join(dir, filepath.Base(pkg)), pkg, flags...)
}

// BuildModule compiles the command at the root of another module of this checkout.
func BuildModule(ctx context.Context, dir, module string) (string, error) {
	return build(ctx, module, filepath.Join(dir, filepath.Base(module)), ".")
}

// build compiles pkg, named from the module at home below the root of the checkout.
func build(ctx context.Context, home, binary, pkg string, flags ...string) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return "", err
	}
	args := append([]string{"build", "-buildvcs=false", "-o", binary}, flags...)
	command := exec.CommandContext(ctx, "go", append(args, pkg)...)
	command.Dir = filepath.Join(root, home)
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s in %s: %w\n%s", pkg, home, err, out)
	}
	return binary, nil
}

func moduleRoot() (string, error) {
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
