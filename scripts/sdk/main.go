// Command sdk runs the stock Unkey SDKs against a follower of a three-node cluster of real processes on this machine. It also runs the
// programs of docs/sdks.md and the commands of docs/api.md.
//
//	go run ./scripts/sdk
//	go run ./scripts/sdk methods   writes the lists of the SDKs' methods in scripts/apidoc/sdk
//
// It needs Go, Node and npm. The suites are go/ (a module of its own) and node/. Exit code 0: every suite passed. 1: one failed; the
// logs of the nodes stay, and the command prints their directory.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

const (
	home    = "scripts/sdk" // below the root of the checkout
	timeout = 5 * time.Minute
)

func main() { launch.Main(run) }

func run(ctx context.Context, args []string, _, stderr io.Writer) int {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if len(args) > 0 {
		err := fmt.Errorf("unknown command %q; there is: methods", args[0])
		if args[0] == "methods" {
			err = errors.Join(install(ctx, target{}), checkMethods(ctx, true))
		}
		if err != nil {
			_, _ = fmt.Fprintf(stderr, "sdk: %v\n", err)
			return 1
		}
		return 0
	}
	dir, err := launch.WorkDir("")
	if err == nil {
		err = runIn(ctx, dir)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "sdk: %v\nlogs of the nodes: %s\n", err, dir)
		return 1
	}
	_ = os.RemoveAll(dir)
	return 0
}

func runIn(ctx context.Context, dir string) error {
	binary, err := launch.Build{}.Into(ctx, dir)
	if err != nil {
		return err
	}
	cluster, err := launch.StartCluster(ctx, launch.Options{Binary: binary, Dir: dir, Nodes: 3, LogStore: "wal"})
	if err != nil {
		return err
	}
	defer cluster.Close()
	leader, _, err := cluster.Leader(ctx, 0)
	if err != nil {
		return err
	}
	status, err := cluster.Status(ctx, leader)
	if err != nil {
		return err
	}
	follower := cluster.HTTPAddr((leader + 1) % cluster.Size())
	at := target{follower: "http://" + follower, other: status.LeaderID}
	var stops []func() error
	for url, serve := range map[*string]func() (string, func() error, error){
		&at.troubled: serveTroubled,
		&at.resets:   func() (string, func() error, error) { return serveBroken(at.follower, false) },
		&at.waits:    func() (string, func() error, error) { return serveBroken(at.follower, true) },
	} {
		var stop func() error
		if *url, stop, err = serve(); err != nil {
			return err
		}
		stops = append(stops, stop)
	}
	fmt.Println("follower at", follower)
	cluster.ExpectExit(leader, true) // docs/api.md has a command that removes this node, which then ends by itself
	err = runAll(ctx, at)
	for _, stop := range stops {
		err = errors.Join(err, stop())
	}
	return errors.Join(err, cluster.StopAll())
}

// target is what the programs are pointed at.
type target struct {
	follower, troubled string
	resets, waits      string // proxies before the follower: see broken
	other              string // id of another node, which may be removed
}

func (t target) environment() []string {
	return append(os.Environ(), "CREDITD_URL="+t.follower, "CREDITD_TROUBLED_URL="+t.troubled, "CREDITD_RESETTING_URL="+t.resets,
		"CREDITD_WAITING_URL="+t.waits, "CREDITD_ROOT_KEY="+launch.RootKey, "NODE_ID="+t.other)
}

// runAll runs every suite and every program, so that one run shows every failure.
func runAll(ctx context.Context, at target) error {
	return errors.Join(
		command(ctx, at, "go", "go", "test", "-count=1", "./..."),
		install(ctx, at),
		checkMethods(ctx, false),
		command(ctx, at, "node", "node", "--test", "--test-reporter=spec", "suite.test.mjs"),
		shown(ctx, at, "go", "go", "run"),
		shown(ctx, at, "ts", "node"),
		pasted(ctx, at),
	)
}

// install installs the TypeScript SDKs.
func install(ctx context.Context, at target) error {
	return command(ctx, at, "node", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
}

// reference has one command to paste for each endpoint, and before them the commands that make what they name.
const reference = "docs/api.md"

// pasted runs the commands of the reference. What they do to the API and key they work on must not reach the next one, so
// each begins anew.
func pasted(ctx context.Context, at target) error {
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") != "true" {
		fmt.Println("note: no curl: the commands of", reference, "are not run")
		return nil
	}
	text, err := os.ReadFile(reference)
	if err != nil {
		return err
	}
	blocks := strings.Split(string(text), "\n```sh\n")[1:]
	var prepare string
	var problems []error
	for i, block := range blocks {
		commands, _, closed := strings.Cut(block, "\n```\n")
		if !closed {
			return fmt.Errorf("%s: a block of commands has no end", reference)
		}
		if i == 0 {
			prepare = retrying + commands
			continue
		}
		err := execute(ctx, io.Discard, at, ".", "bash", "-euc", prepare+"\n"+commands)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w\n%s", reference, err, commands))
		}
	}
	fmt.Printf("== %d commands of %s\n", len(blocks)-1, reference)
	return errors.Join(problems...)
}

// retrying lets curl wait for a leader: after cluster.transferLeadership there is a moment without one, which is a 503.
const retrying = "curl() { command curl --retry 20 --retry-delay 1 \"$@\"; }\n"

// page shows one program for each language; both must print expected.
const (
	page     = "docs/sdks.md"
	expected = "VALID 70\nhttps://unkey.com/docs/errors/unkey/data/key_not_found\n"
)

// places is where a program of the page must stand to find its SDK, by the language its block is marked with.
var places = map[string]string{"go": "go/page.go", "ts": "node/page.mjs"}

// shown runs the program that the page shows in a language.
func shown(ctx context.Context, at target, language, name string, args ...string) (err error) {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	_, rest, found := strings.Cut(string(text), "\n```"+language+"\n")
	program, _, closed := strings.Cut(rest, "\n```\n")
	if !found || !closed {
		return fmt.Errorf("%s has no program marked %s", page, language)
	}
	file := filepath.Join(home, filepath.FromSlash(places[language]))
	if err := os.WriteFile(file, []byte(program+"\n"), 0o644); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(file)) }()
	fmt.Println("== the", language, "program of", page)
	var printed strings.Builder
	if err := execute(ctx, &printed, at, filepath.Dir(file), name, append(args, filepath.Base(file))...); err != nil {
		return err
	}
	if printed.String() != expected {
		return fmt.Errorf("the %s program of %s prints %q, not %q", language, page, printed.String(), expected)
	}
	return nil
}

// command runs a program in a directory below home.
func command(ctx context.Context, at target, dir, name string, args ...string) error {
	line := strings.Join(append([]string{name}, args...), " ")
	fmt.Println("==", line)
	if err := execute(ctx, os.Stdout, at, filepath.Join(home, dir), name, args...); err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	return nil
}

func execute(ctx context.Context, stdout io.Writer, at target, dir, name string, args ...string) error {
	program := exec.CommandContext(ctx, name, args...)
	program.Dir = dir
	program.Env = at.environment()
	program.Stdout, program.Stderr = stdout, os.Stderr
	if err := program.Run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
