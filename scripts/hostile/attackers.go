package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

// Attackers run in a process of their own, as they would on machines of their own: what they burn must not delay the victim's clock.

// order is what the process of the attackers is told.
type order struct {
	Attack      string
	Duration    time.Duration
	Places      []launch.Place
	Admin, Weak string // root keys
	TLS         bool   // the HTTP and peer ports have certificates
	Recording   string // a file; empty: nothing was recorded
}

const (
	strikeCommand = "strike" // the argument that makes this command the attackers
	prepared      = "prepared"
)

// attackers is the process of the attackers, as the siege sees it.
type attackers struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	failure strings.Builder
}

// startAttackers returns once the attack is prepared.
func startAttackers(ctx context.Context, binary string, o order) (*attackers, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	command := append(behindTheNodes(), binary, strikeCommand, string(text))
	a := &attackers{command: exec.CommandContext(ctx, command[0], command[1:]...)}
	a.command.Stderr = &a.failure
	out, err := a.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	a.out = bufio.NewReader(out)
	if a.in, err = a.command.StdinPipe(); err != nil {
		return nil, err
	}
	if err := a.command.Start(); err != nil {
		return nil, err
	}
	if line, err := a.out.ReadString('\n'); err != nil || strings.TrimSpace(line) != prepared {
		_, err := a.wait()
		return nil, fmt.Errorf("the attack could not be prepared: %w", err)
	}
	return a, nil
}

// strike lets the attackers begin and returns, when they have done, how often they got which answer.
func (a *attackers) strike() (answers string, err error) {
	if _, err := fmt.Fprintln(a.in, "go"); err != nil {
		return "", err
	}
	return a.wait()
}

func (a *attackers) wait() (said string, err error) {
	text, err := io.ReadAll(a.out)
	_ = a.in.Close()
	if ended := a.command.Wait(); ended != nil {
		err = fmt.Errorf("%w: %s", ended, a.failure.String())
	}
	return strings.TrimSpace(string(text)), err
}

// runAttackers is the process of the attackers.
func runAttackers(ctx context.Context, text string, stdout, stderr io.Writer) int {
	if err := attackAll(ctx, text, stdout); err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func attackAll(ctx context.Context, text string, stdout io.Writer) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	all := append(append(allAttacks(), tlsAttacks()...), nothing())
	at := slices.IndexFunc(all, func(a attack) bool { return a.name == o.Attack })
	if at < 0 {
		return fmt.Errorf("no attack is called %q", o.Attack)
	}
	a, t := all[at], newTarget(o)
	defer t.close()
	strike, err := a.prepare(ctx, t)
	if err != nil {
		return err
	}
	t.reset()
	if _, err := fmt.Fprintln(stdout, prepared); err != nil {
		return err
	}
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return fmt.Errorf("nobody gave the order: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, o.Duration)
	defer cancel()
	var strikes sync.WaitGroup
	for i := range a.attackers {
		strikes.Go(func() {
			for ctx.Err() == nil {
				strike(ctx, i)
			}
		})
	}
	strikes.Wait()
	_, err = fmt.Fprintln(stdout, t.answers())
	return err
}
