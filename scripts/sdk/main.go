// Command sdk runs the stock Unkey SDKs against a follower of a three-node cluster of real processes on this machine, then the
// programs that docs/sdks.md shows and the commands of docs/api.md, as they are written there.
//
//	go run ./scripts/sdk
//
// It needs Go, Node and npm. The suites are go/ (a module of its own) and node/. Exit code
// 0: no SDK found anything to complain about; otherwise the logs of the nodes stay, and their directory is printed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/creditd/creditd/scripts/chaos/local"
	"github.com/creditd/creditd/scripts/chaos/wire"
)

const (
	rootKey   = "root_sdk_0123456789abcdef"
	home      = "scripts/sdk" // below the root of the checkout
	limit     = 5 * time.Minute
	stopGrace = 20 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, limit)
	err := run(ctx)
	cancel()
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "sdk:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "creditd-sdk-")
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			err = os.RemoveAll(dir)
		} else {
			err = fmt.Errorf("%w\nlogs of the nodes: %s", err, dir)
		}
	}()
	binary, err := local.Build(ctx, dir, false)
	if err != nil {
		return err
	}
	cluster, err := local.NewCluster(local.Options{Binary: binary, Dir: dir, Nodes: 3, LogStore: "boltdb", RootKey: rootKey})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.StopAll(stopGrace)) }()
	if err := cluster.StartAll(); err != nil {
		return err
	}
	if err := cluster.AwaitReady(ctx); err != nil {
		return err
	}
	follower, other, err := followerOf(ctx, cluster)
	if err != nil {
		return err
	}
	troubledURL, stop, err := serveTroubled()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	fmt.Println("follower at", follower)
	return runAll(ctx, target{"http://" + follower, troubledURL, other})
}

// target is what the programs are pointed at.
type target struct {
	follower, troubled string
	other              string // id of another node, which may be removed
}

func (t target) environment() []string {
	return append(os.Environ(), "CREDITD_URL="+t.follower, "CREDITD_TROUBLED_URL="+t.troubled, "CREDITD_ROOT_KEY="+rootKey, "NODE_ID="+t.other)
}

// followerOf is the HTTP address of a node that is not the leader, and the id of the leader.
func followerOf(ctx context.Context, cluster *local.Cluster) (addr, leader string, err error) {
	client := wire.NewClient(rootKey, 5*time.Second)
	defer client.Close()
	err = local.Await(ctx, "a follower", func(context.Context) error {
		status, err := client.Status(cluster.HTTPAddr(0))
		if err != nil {
			return err
		}
		for _, node := range status.Nodes {
			if status.LeaderID != "" && node.Role == "follower" && node.HTTPAddr != status.LeaderAddr() {
				addr, leader = node.HTTPAddr, status.LeaderID
				return nil
			}
		}
		return fmt.Errorf("none in %+v", status)
	})
	return addr, leader, err
}

// runAll runs every suite and every program, so that one run shows every failure.
func runAll(ctx context.Context, at target) error {
	return errors.Join(
		command(ctx, at, "go", "go", "test", "-count=1", "./..."),
		command(ctx, at, "node", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"),
		command(ctx, at, "node", "node", "--test", "--test-reporter=spec", "suite.test.mjs"),
		shown(ctx, at, "go", "go", "run"),
		shown(ctx, at, "ts", "node"),
		pasted(ctx, at),
	)
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
