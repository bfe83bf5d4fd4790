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
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

var _ = register(registration{use: "import FILE", short: "read a file of 'creditd export' into a workspace",
	long: `Reads a file of 'creditd export' into the workspace of the root key, or the export of a cluster
into a cluster. Ids and times stay. What is there already stays as it is, so the command may be
interrupted and started again. Conflicts are reported with their lines; then it ends with status 1.`,
	make: func() command { return &importCommand{} }})

type importCommand struct {
	operator
	onConflict, workspace string
	incomplete, track     bool
}

func (i *importCommand) bind(s *settings.Set) {
	i.timeout, i.onConflict = time.Minute, "fail"
	i.operator.bind(s)
	s.Group("Import")
	settings.Choice(s, &i.onConflict, "on-conflict", "what happens to what exists and differs: report it, leave it or replace it", "fail", "skip", "replace")
	s.Text(&i.workspace, "workspace", "ID", "the workspace to read into; default: that of the root key")
	s.Switch(&i.track, "track", "remember the balances and what was imported: later ones count by their difference, and nothing that is deleted comes back")
	s.Switch(&i.incomplete, "incomplete", "also read a file whose end line is missing or wrong, as far as it goes")
}

// Bodies stay far below the limits of contract 1.10.
const (
	importBatch      = 500
	importBatchBytes = 2 << 20
)

// importRun is what one run of the command has done.
type importRun struct {
	*importCommand
	in     invocation
	header records.Header
	batch  records.ImportRequest
	lines  []int64 // of the batch
	bytes  int
	counts map[string]int64
	done   int64
	total  int64 // records of the file
	read   int64 // of them
	began  time.Time
	told   time.Time
}

func (i *importCommand) run(in invocation) (err error) {
	gatherGarbage()
	file, err := os.Open(in.args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(err, fmt.Errorf("%s is no regular file, and it is read twice: first to check it", file.Name()))
	}
	total, err := i.checkWhole(file, in.stderr) // nothing is written for half a file
	if err != nil {
		return err
	}
	r, err := records.NewReader(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return err
	}
	run := &importRun{importCommand: i, in: in, header: r.Header, counts: map[string]int64{}, total: total, began: time.Now(), told: time.Now()}
	run.batch.OnConflict, run.batch.TrackBalances = i.onConflict, i.track
	for run.read < total {
		record, err := r.Next()
		if err != nil { // the file has changed since it was checked
			return fmt.Errorf("%s: %w; what came before it was sent", file.Name(), err)
		}
		run.read++
		if err := run.add(record, r.Line()); err != nil {
			return err
		}
	}
	if err := run.send(); err != nil {
		return err
	}
	return run.report()
}

// maxBadLines is how many lines that break the format are told.
const maxBadLines = 100

// checkWhole reads a file to its end, counts its records, and goes back to its beginning. Each line that breaks the format is told with its number.
func (i *importCommand) checkWhole(file *os.File, stderr io.Writer) (total int64, err error) {
	r, err := records.NewReader(bufio.NewReaderSize(file, 1<<20))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", file.Name(), err)
	}
	bad := 0
	for bad < maxBadLines {
		_, err := r.Next()
		var line *records.LineError
		switch {
		case err == io.EOF:
			if bad > 0 {
				return 0, fmt.Errorf("%s: %d lines break the format; nothing was sent", file.Name(), bad)
			}
			_, err = file.Seek(0, io.SeekStart)
			return total, err
		case err == nil:
			total++
		case errors.Is(err, records.ErrIncomplete), errors.Is(err, records.ErrWrongEnd):
			if bad > 0 { // --incomplete does not help
				return 0, fmt.Errorf("%s: %d lines break the format, and %w; nothing was sent", file.Name(), bad, err)
			}
			if !i.incomplete {
				return 0, fmt.Errorf("%s: %w; nothing was sent (--incomplete reads what there is)", file.Name(), err)
			}
			fmt.Fprintf(stderr, "%s: %v; what there is of it is read\n", file.Name(), err)
			_, err = file.Seek(0, io.SeekStart)
			return total, err
		case errors.As(err, &line):
			bad++
			fmt.Fprintf(stderr, "%s: %v\n", file.Name(), err)
		default:
			return 0, fmt.Errorf("%s: %w", file.Name(), err)
		}
	}
	return 0, fmt.Errorf("%s: %d lines and perhaps more break the format; nothing was sent", file.Name(), bad)
}

func (run *importRun) add(r *records.Record, line int64) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if len(run.lines) == importBatch || len(run.lines) > 0 && run.bytes+len(text) > importBatchBytes {
		if err := run.send(); err != nil {
			return err
		}
	}
	if run.workspace != "" {
		r.WorkspaceID = run.workspace
	}
	run.batch.Records, run.lines, run.bytes = append(run.batch.Records, *r), append(run.lines, line), run.bytes+len(text)
	return nil
}

// importPatience is how long an import waits for a cluster that takes no changes: an election, a full queue.
const importPatience = time.Minute

// send sends the batch until each record has an outcome. A repetition is safe whatever became of the request before.
func (run *importRun) send() error {
	for until := time.Now().Add(importPatience); len(run.lines) > 0; {
		var answer records.ImportAnswer
		reply, _ := run.reach(context.Background(), "records.importRecords", &run.batch, &answer)
		if reply.Err != nil {
			if !passing(reply) || time.Now().After(until) {
				return fmt.Errorf("%s: lines %d to %d: %w; start the command again to go on", run.in.args[0], run.lines[0], run.lines[len(run.lines)-1], advise(reply.Err))
			}
			time.Sleep(time.Second)
			continue
		}
		if len(answer.Outcomes) != len(run.lines) {
			return fmt.Errorf("%d records have %d outcomes", len(run.lines), len(answer.Outcomes))
		}
		at := 0
		for ; at < len(answer.Outcomes) && answer.Outcomes[at].Outcome != records.Interrupted; at++ {
			if run.workspace != "" {
				if err := answer.Outcomes[at].WorkspaceFault(&run.batch.Records[at]); err != nil {
					return fmt.Errorf("%s: line %d: %w (--workspace)", run.in.args[0], run.lines[at], err)
				}
			}
			run.count(&answer.Outcomes[at], &run.batch.Records[at], run.lines[at])
		}
		if at > 0 {
			until = time.Now().Add(importPatience)
		}
		run.batch.Records, run.lines = run.batch.Records[at:], run.lines[at:]
		run.progress()
	}
	run.batch.Records, run.bytes = nil, 0
	return nil
}

// passing reports whether a later attempt may succeed.
func passing(reply client.Answer) bool {
	switch reply.Status {
	case 0, http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return true
	}
	return false
}

func (run *importRun) count(o *records.Outcome, r *records.Record, line int64) {
	run.counts[o.Outcome]++
	run.done++
	if o.Outcome == records.Conflict || o.Outcome == records.Invalid || o.Shortfall != 0 {
		fmt.Fprintf(run.in.stderr, "%s: line %d: %s %s: %s (%s)\n", run.in.args[0], line, r.Kind(), r.ID(), o.Outcome, o.Reason)
	}
}

func (run *importRun) progress() {
	if now := time.Now(); now.Sub(run.told) >= time.Second {
		run.told = now
		fmt.Fprintf(run.in.stderr, "%d of %d records, %.0f/s\n", run.done, run.total, float64(run.done)/now.Sub(run.began).Seconds())
	}
}

func (run *importRun) report() error {
	for _, outcome := range []string{records.Created, records.Unchanged, records.Replaced, records.Skipped, records.Conflict, records.Invalid} {
		if _, err := fmt.Fprintf(run.in.stdout, "%-10s %d\n", outcome, run.counts[outcome]); err != nil {
			return err
		}
	}
	if n := run.counts[records.Conflict] + run.counts[records.Invalid]; n > 0 {
		return fmt.Errorf("%d records were not taken", n)
	}
	return nil
}
