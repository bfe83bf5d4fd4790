//go:build chaos

package failpoint

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// armed holds what Arm was given. It is the one piece of package state in the module: failpoints are reached from everywhere, and
// exist only in builds for tests.
var armed struct {
	mu     sync.Mutex
	points map[Name]*point // guarded by mu
}

type point struct {
	action action
	delay  time.Duration
	at     int  // the hit that triggers it
	on     bool // and every later one
	hits   int  // guarded by armed.mu
}

type action string

const (
	actKill  action = "kill"
	actExit  action = "exit"
	actPanic action = "panic"
	actError action = "error"
	actSleep action = "sleep"
)

// Arm replaces what is armed. Hits are counted from here on.
func Arm(text string) error {
	points := map[Name]*point{}
	for _, item := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' }) {
		name, p, err := parse(item)
		if err != nil {
			return fmt.Errorf("failpoint %q: %w", item, err)
		}
		points[name] = p
	}
	armed.mu.Lock()
	defer armed.mu.Unlock()
	armed.points = points
	return nil
}

func parse(item string) (Name, *point, error) {
	name, rest, found := strings.Cut(item, "=")
	if !found || !slices.Contains(All(), Name(name)) {
		return "", nil, fmt.Errorf("unknown; there are %v", All())
	}
	p := &point{at: 1}
	rest, p.on = strings.CutSuffix(rest, "+")
	if what, at, found := strings.Cut(rest, "@"); found {
		n, err := strconv.Atoi(at)
		if err != nil || n < 1 {
			return "", nil, fmt.Errorf("%q is no number of a hit", at)
		}
		rest, p.at = what, n
	}
	if inner, found := strings.CutPrefix(rest, "sleep("); found {
		delay, err := time.ParseDuration(strings.TrimSuffix(inner, ")"))
		if err != nil {
			return "", nil, err
		}
		p.action, p.delay = actSleep, delay
		return Name(name), p, nil
	}
	p.action = action(rest)
	switch p.action {
	case actKill, actExit, actPanic, actError:
		return Name(name), p, nil
	}
	return "", nil, fmt.Errorf("unknown action %q", rest)
}

// Hit passes a failpoint.
func Hit(name Name) { _ = Fail(name) }

// Fail passes a failpoint at which an error can be reported.
func Fail(name Name) error {
	armed.mu.Lock()
	p := armed.points[name]
	if p == nil {
		armed.mu.Unlock()
		return nil
	}
	p.hits++
	due := p.hits == p.at || p.on && p.hits > p.at
	armed.mu.Unlock()
	if !due {
		return nil
	}
	if p.action != actSleep && p.action != actError {
		_, _ = fmt.Fprintf(os.Stderr, "failpoint %s: %s\n", name, p.action) // shows that it was this one
	}
	switch p.action {
	case actKill:
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal arrives in a moment; nothing further is done until then
	case actExit:
		os.Exit(exitCode)
	case actPanic:
		panic("failpoint " + string(name))
	case actSleep:
		time.Sleep(p.delay)
	case actError:
		return fmt.Errorf("failpoint %s", name)
	}
	return nil
}

// exitCode tells an exit at a failpoint from any other.
const exitCode = 86
