package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

// This file is the example of CONTRIBUTING.md. It adds a command with settings, and no other file knows of it.

var _ = register(registration{use: "greet NAME", short: "greet somebody", long: "Greets NAME on stdout.",
	make: func() command { return &greet{config: greetConfig{word: "hello", times: 1}} }})

// greetConfig is the struct of a part. Its defaults stand where it is made.
type greetConfig struct {
	word  string
	times int
}

type greet struct{ config greetConfig }

func (g *greet) bind(s *settings.Set) {
	s.Group("Greeting")
	s.Text(&g.config.word, "word", "WORD", "how to greet")
	settings.Number(s, &g.config.times, "times", 1, 10, "how often")
}

func (g *greet) check(_ invocation, s *settings.Set) {
	if g.config.word == "hello" && s.Fine("times") && g.config.times > 3 {
		s.Refuse("times", "nobody wants to hear %q %d times", g.config.word, g.config.times)
	}
}

func (g *greet) run(in invocation) error {
	for range g.config.times {
		if _, err := fmt.Fprintln(in.stdout, g.config.word, in.args[0]); err != nil {
			return err
		}
	}
	return nil
}

func TestExample_OneFileAddsACommandAndItsSettings(t *testing.T) {
	code, stdout, stderr := outputOf(map[string]string{"CREDITD_TIMES": "2"}, "greet", "world", "--word", "hi")
	require.Equal(t, exitDone, code, stderr)
	require.Equal(t, "hi world\nhi world\n", stdout)

	code, _, stderr = outputOf(map[string]string{"CREDITD_TIMES": "4"}, "greet")
	require.Equal(t, exitUsage, code)
	require.Equal(t, "creditd greet: 2 things are wrong:\n  - the argument NAME is missing\n"+
		"  - CREDITD_TIMES: nobody wants to hear \"hello\" 4 times\n'creditd help greet' shows the usage.\n", stderr)

	_, stdout, _ = outputOf(nil, "help", "greet")
	require.Contains(t, stdout, "--times N     how often [CREDITD_TIMES] (default 1)")
}
