package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
	"github.com/creditd/creditd/cmd/creditd/internal/shadow"
	"github.com/creditd/creditd/fsm"
)

var _ = register(registration{use: "shadow [FILE]", short: "compare another system's verifications with what creditd would answer",
	long: `Reads verifications and their answers from FILE or stdin, one JSON object a line, asks creditd what
it would answer, and reports where the two differ. Nothing is debited. 'creditd mirror' records such
lines; docs/support.md describes them, and says what is compared exactly.

The root key needs api.*.verify_key, and api.*.verify_key_hash for lines with a keyHash. The exit
code is 3 if a --max is exceeded, and 5 if the root key lacks a permission.`,
	make: func() command {
		return &shadowCommand{concurrency: 32, maxAccounts: 1_000_000, samples: 5, maxDenied: "0", maxBad: "0", patience: time.Minute}
	}})

type shadowCommand struct {
	reporter
	report                   string
	concurrency              int
	maxAccounts, samples     int
	maxDenied, maxAdmitted   string
	maxBad                   string
	patience                 time.Duration
	mostDenied, mostAdmitted int64
	mostBad                  int64
}

func (c *shadowCommand) bind(s *settings.Set) {
	s.Group("Comparison")
	s.Text(&c.maxDenied, "max-denied-wrongly", "N", "exit with 3 if creditd would deny more than N that the other system admitted; none: no bound")
	s.Text(&c.maxAdmitted, "max-admitted-wrongly", "N", "exit with 3 if creditd would admit more than N that the other system denied; without it there is no bound")
	s.Text(&c.maxBad, "max-bad-lines", "N", "exit with 3 if more than N lines cannot be read; none: no bound")
	s.Text(&c.report, "report", "FILE", "write every difference and every bad line to a new FILE, one JSON object a line")
	settings.Number(s, &c.samples, "samples", 0, 1000, "differences of each kind to show")
	settings.Number(s, &c.concurrency, "concurrency", 1, 1024, "questions at once")
	settings.Number(s, &c.maxAccounts, "max-accounts", 1, 100_000_000, "balances whose debits are counted; about 150 bytes each")
	s.Duration(&c.patience, "patience", time.Millisecond, "how long to repeat a question that no node answers")
	c.reporter.bind(s)
}

func (c *shadowCommand) check(in invocation, s *settings.Set) {
	for _, bound := range []struct {
		name, text string
		into       *int64
	}{{"max-denied-wrongly", c.maxDenied, &c.mostDenied}, {"max-admitted-wrongly", c.maxAdmitted, &c.mostAdmitted}, {"max-bad-lines", c.maxBad, &c.mostBad}} {
		if bound.text == "" || bound.text == "none" {
			*bound.into = -1
			continue
		}
		n, err := strconv.ParseInt(bound.text, 10, 64)
		if *bound.into = n; err != nil || n < 0 {
			s.Refuse(bound.name, "%q: neither a whole number nor none", bound.text)
		}
	}
	c.reporter.check(in, s)
}

func (c *shadowCommand) run(in invocation) (err error) {
	records, name, err := c.open(in)
	if err != nil {
		return err
	}
	defer func() { _ = records.Close() }() // it was only read
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := c.mayVerify(ctx, in.stderr); err != nil {
		return err
	}
	report, finish, err := openReport(c.report)
	if err != nil {
		return err
	}
	told := time.Now()
	summary, err := shadow.Run(ctx, shadow.Config{
		Records: records, Ask: c.ask, Concurrency: c.concurrency, MaxAccounts: c.maxAccounts, Samples: c.samples,
		Found: func(d *shadow.Difference) error { return report(d) },
		Bad: func(line int64, why error) error {
			fmt.Fprintf(in.stderr, "%sline %d: %v\n", name, line, why)
			return report(map[string]any{"line": line, "kind": "bad_line", "error": why.Error()})
		},
		Judged: func(s *shadow.Summary) {
			if time.Since(told) > 10*time.Second {
				told = time.Now()
				fmt.Fprintf(in.stderr, "%d records, %d denied wrongly, %d admitted wrongly\n", s.Records, s.DeniedWrongly, s.AdmittedWrongly)
			}
		},
	})
	if err != nil {
		err = fmt.Errorf("%s%w", name, err)
	}
	if err = errors.Join(err, finish()); err != nil {
		return err
	}
	if err := c.print(in.stdout, summary, func(w io.Writer) error { return printSummary(w, summary) }); err != nil {
		return err
	}
	switch {
	case name != "" && ctx.Err() != nil:
		return errors.New("interrupted: the rest of the file was not compared")
	case summary.Records+summary.BadLines == 0:
		return errors.New("there was no record to compare")
	}
	return c.gate(summary)
}

// open opens the file, and returns its name for messages; empty: it is stdin.
func (c *shadowCommand) open(in invocation) (records io.ReadCloser, name string, err error) {
	if len(in.args) == 0 || in.args[0] == "-" {
		return io.NopCloser(in.stdin), "", nil
	}
	file, err := os.Open(in.args[0])
	if err != nil {
		return nil, "", err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory", file.Name())
	}
	if err != nil {
		return nil, "", errors.Join(err, file.Close())
	}
	return file, file.Name() + ": ", nil
}

// gate says which bounds are exceeded.
func (c *shadowCommand) gate(s *shadow.Summary) error {
	var exceeded []string
	for _, bound := range []struct {
		what       string
		found, max int64
	}{{"denied wrongly", s.DeniedWrongly, c.mostDenied}, {"admitted wrongly", s.AdmittedWrongly, c.mostAdmitted}, {"bad lines", s.BadLines, c.mostBad}} {
		if bound.max >= 0 && bound.found > bound.max {
			exceeded = append(exceeded, fmt.Sprintf("%d %s, at most %d allowed", bound.found, bound.what, bound.max))
		}
	}
	if len(exceeded) > 0 {
		return &negative{errors.New(strings.Join(exceeded, "; "))}
	}
	return nil
}

// mayVerify asks whether the root key may verify keys, before anything is compared.
func (c *shadowCommand) mayVerify(ctx context.Context, stderr io.Writer) error {
	var own rootKeyShown
	err := c.patiently(ctx, ownRootKey, struct{}{}, &own).Err
	if notFound(err) {
		fmt.Fprintln(stderr, "a node has a build that is older than this command, and does not say what the root key may do")
		return nil
	}
	if err != nil {
		return advise(err)
	}
	return own.holds(fsm.VerifyKeyPermission, stderr)
}

// ask asks for a preview, and again while no node can answer.
func (c *shadowCommand) ask(ctx context.Context, r *shadow.Record) (v shadow.Verdict, err error) {
	request := map[string]any{"credits": map[string]int64{"cost": 1}}
	if r.Cost != nil {
		request["credits"] = map[string]int64{"cost": *r.Cost}
	}
	for field, text := range map[string]string{"key": r.Key, "keyHash": r.KeyHash, "permissions": r.Permissions, "migrationId": r.MigrationID} {
		if text != "" {
			request[field] = text
		}
	}
	if len(r.Ratelimits) > 0 {
		request["ratelimits"] = r.Ratelimits
	}
	answer := c.patiently(ctx, "keys.previewVerification", request, &v)
	var refused *client.Error
	switch {
	case answer.Err == nil || !errors.As(answer.Err, &refused):
		return v, advise(answer.Err)
	case refused.Status == http.StatusBadRequest, refused.Status == http.StatusPreconditionFailed:
		return shadow.Verdict{Code: strconv.Itoa(refused.Status) + " " + refused.Kind()}, nil
	case refused.Status == http.StatusForbidden:
		return v, &lacking{answer.Err}
	}
	return v, advise(answer.Err)
}

// patiently asks one node after the other until one answers.
func (c *shadowCommand) patiently(ctx context.Context, endpoint string, request, result any) (answer client.Answer) {
	deadline := time.Now().Add(c.patience)
	for try := 0; ; try++ {
		answer = c.nodes[try%len(c.nodes)].Call(ctx, endpoint, request, result)
		if answer.Err == nil || answer.Outcome == client.Refused || time.Now().After(deadline) {
			return answer
		}
		select {
		case <-ctx.Done():
			answer.Err = ctx.Err()
			return answer
		case <-time.After(shadowPause):
		}
	}
}

const shadowPause = 200 * time.Millisecond

// openReport returns what writes one line to a new file, and what closes it. Without a path there is no file.
func openReport(path string) (report func(any) error, finish func() error, err error) {
	if path == "" {
		return func(any) error { return nil }, func() error { return nil }, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("--report: %w", err)
	}
	buffered := bufio.NewWriter(file)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	return func(line any) error { return encoder.Encode(line) }, func() error { return errors.Join(buffered.Flush(), file.Close()) }, nil
}
