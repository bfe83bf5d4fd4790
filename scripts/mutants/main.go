// Command mutants tests the tests. It plants known bugs, one at a time, in a copy that only the compiler sees. The tests for that bug must
// fail.
//
//	go run ./scripts/mutants [-only TEXT]
//
// Nothing in the checkout changes, and the product has no switch for any of this: `go test -overlay` puts the changed files in place.
// Exit code 0: every bug was found. 1: one was not, or its tests fail without it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

func main() { launch.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", "", "plant only bugs whose description contains this")
	if flags.Parse(args) != nil {
		return 2
	}
	if err := hunt(ctx, *only, stdout); err != nil {
		_, _ = fmt.Fprintln(stderr, "mutants:", err)
		return 1
	}
	return 0
}

// hunt plants the bugs and reports each.
func hunt(ctx context.Context, only string, out io.Writer) error {
	root, err := launch.Root()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "creditd-mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	planted, found := 0, 0
	sound := map[string]error{} // by tests: what they say about the product as it is
	for i, b := range bugs {
		if !strings.Contains(b.name, only) {
			continue
		}
		planted++
		tests := b.pkg + " " + b.run
		if _, known := sound[tests]; !known {
			sound[tests] = passes(ctx, root, b, "")
		}
		if sound[tests] != nil {
			return fmt.Errorf("go test -run '%s' %s fails without a bug: %w", b.run, b.pkg, sound[tests])
		}
		begin := time.Now()
		overlay, err := plant(root, filepath.Join(dir, fmt.Sprint(i)), b)
		if err != nil {
			return err
		}
		err = passes(ctx, root, b, overlay)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errDoesNotBuild):
			return fmt.Errorf("%s: %w", b.name, err)
		case err == nil:
			_, _ = fmt.Fprintf(out, "NOT FOUND  %s: go test -run '%s' %s\n", b.name, b.run, b.pkg)
		default:
			found++
			_, _ = fmt.Fprintf(out, "found  %s: %s, %v\n", b.name, failedTest(err), time.Since(begin).Round(100*time.Millisecond))
		}
	}
	_, _ = fmt.Fprintf(out, "%d/%d\n", found, planted)
	if found != planted || planted == 0 {
		return fmt.Errorf("%d of %d bugs were found", found, planted)
	}
	return nil
}

// plant writes the changed files below dir and returns the overlay that puts them in place.
func plant(root, dir string, b bug) (overlay string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	changed, err := b.apply(root)
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for file, text := range changed {
		copied := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(copied, []byte(text), 0o644); err != nil {
			return "", err
		}
		replace[filepath.Join(root, filepath.FromSlash(file))] = copied
	}
	description, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, description, 0o644)
}

// apply returns the files of the bug with its edits. Text that is not there exactly once has been rewritten since: an error.
func (b bug) apply(root string) (map[string]string, error) {
	changed := map[string]string{}
	for _, e := range b.edits {
		text, known := changed[e.file]
		if !known {
			data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(e.file)))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", b.name, err)
			}
			text = string(data)
		}
		if count := strings.Count(text, e.old); count != 1 {
			return nil, fmt.Errorf("%s: %s has %d places like this, want 1:\n%s", b.name, e.file, count, e.old)
		}
		changed[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	return changed, nil
}

// errDoesNotBuild is no finding: the compiler is not the test meant.
var errDoesNotBuild = errors.New("the planted bug does not compile")

// failure is the output of tests that failed.
type failure struct{ output string }

func (f *failure) Error() string { return f.output[max(0, len(f.output)-4000):] }

// passes runs the bug's tests, in place of overlay's files where there are any.
func passes(ctx context.Context, root string, b bug, overlay string) error {
	args := []string{"test", "-count=1", "-timeout=5m", "-v", "-run", b.run}
	command := exec.CommandContext(ctx, "go", append(args, b.pkg)...)
	command.Dir, command.Env = root, os.Environ()
	if overlay != "" {
		command.Env = append(command.Env, "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -overlay="+overlay)) // also for tests that build
	}
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil && !strings.Contains(string(output), "\n--- PASS: ") && !strings.HasPrefix(string(output), "--- PASS: "):
		return fmt.Errorf("no test ran:\n%s", output)
	case err == nil:
		return nil
	case !errors.As(err, &exit):
		return err
	case strings.Contains(string(output), "[build failed]") || strings.Contains(string(output), "[setup failed]"):
		return fmt.Errorf("%w:\n%s", errDoesNotBuild, output)
	}
	return &failure{string(output)}
}

// failedTest names what noticed.
func failedTest(err error) string {
	text := err.Error()
	var f *failure
	if errors.As(err, &f) {
		text = f.output
	}
	for line := range strings.Lines(text) {
		if name, failed := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); failed {
			return strings.Fields(name)[0]
		}
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return strings.TrimSpace(line)
		}
	}
	return "failed"
}
