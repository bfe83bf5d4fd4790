package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
	"github.com/creditd/creditd/fsm"
)

var _ = register(registration{use: "export", short: "write everything of a workspace to a file",
	long: `Writes everything of a workspace, or of the cluster, as it was at one log index. The file has one
JSON object per line, hashes and no keys in plaintext: docs/records.md describes it. Writes go on
meanwhile. 'creditd import' reads the file.`,
	make: func() command { return &exportCommand{} }})

type exportCommand struct {
	operator
	workspace, out string
	all, balances  bool
	stall, wait    time.Duration
	cut            int64 // log time of the export
}

func (e *exportCommand) bind(s *settings.Set) {
	e.operator.bind(s)
	e.stall, e.wait = time.Minute, 10*time.Minute
	s.Group("Export")
	s.Text(&e.workspace, "workspace", "ID", "the workspace; default: that of the root key")
	s.Switch(&e.all, "all", "the whole cluster")
	s.Text(&e.out, "out", "FILE", "where to write; default: standard output")
	s.Duration(&e.stall, "stall", time.Second, "how long the node may send nothing before the export fails")
	s.Duration(&e.wait, "wait", 0, waitHelp+", or while the exports of the workspace rest")
	s.Switch(&e.balances, "balances", "write the balances as CSV instead, with refills that were due at the log time of the export")
}

func (e *exportCommand) check(in invocation, s *settings.Set) {
	e.operator.check(in, s)
	if e.all && e.workspace != "" {
		s.Refuse("all", "give --workspace or --all, not both")
	}
}

func (e *exportCommand) run(in invocation) (err error) {
	request := map[string]any{}
	if e.all {
		request["all"] = true
	} else if e.workspace != "" {
		request["workspaceId"] = e.workspace
	}
	e.askFollowersFirst()
	watch := newStallWatch(e.stall)
	defer watch.stop()
	body, header, err := waitForExport(context.Background(), in.stderr, e.wait, func(minIndex uint64) (io.ReadCloser, http.Header, error) {
		return e.stream(watch, "records.exportRecords", request, minIndex)
	})
	if err != nil {
		return advise(watch.explain(err))
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	if e.cut, err = strconv.ParseInt(header.Get("Creditd-Log-Time"), 10, 64); err != nil {
		return fmt.Errorf("the answer does not say of which time it is: %w", err)
	}
	to := in.stdout
	if e.out != "" {
		file, err := createWhole(e.out)
		if err != nil {
			return err
		}
		defer file.discard()
		if err := e.copy(file, watch.reader(body)); err != nil {
			return err
		}
		if err := file.keep(); err != nil {
			return err
		}
	} else if err := e.copy(to, watch.reader(body)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(in.stderr, "exported index %s\n", header.Get("Creditd-Index"))
	return err
}

// waitHelp is what --wait means to commands that ask with waitForExport.
const waitHelp = "how long to wait in all while the node sends another file, or writes the snapshot that it sends"

// waitForExport asks again after each 429, when the node says, for at most so long in all. ask is told of which index the file must be at least.
func waitForExport(
	ctx context.Context, says io.Writer, most time.Duration, ask func(minIndex uint64) (io.ReadCloser, http.Header, error),
) (io.ReadCloser, http.Header, error) {
	until := time.Now().Add(most)
	return client.StreamWhenWritten(ask, func(refused *client.Error) error {
		pause := max(refused.RetryAfter, time.Second)
		if pause > time.Until(until) {
			return fmt.Errorf("the next attempt may begin in %v, beyond --wait: %w", pause, refused)
		}
		if _, err := fmt.Fprintf(says, "waiting %v: %s\n", pause, refused.Detail); err != nil {
			return err
		}
		select {
		case <-time.After(pause):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// copy writes the file, or its balances, and checks it on the way.
func (e *exportCommand) copy(to io.Writer, from io.Reader) error {
	w := bufio.NewWriterSize(to, 64<<10)
	source := from
	if !e.balances {
		source = io.TeeReader(from, w)
	}
	r, err := records.NewReader(source)
	if err != nil {
		return err
	}
	table := csv.NewWriter(w)
	if e.balances {
		_ = table.Write([]string{"workspace", "owner", "id", "name", "remaining", "refillInterval", "refillAmount", "refillDay", "refilledAt"})
	}
	for {
		record, err := r.Next()
		switch {
		case err == io.EOF:
			table.Flush()
			return errors.Join(table.Error(), w.Flush())
		case err != nil:
			return fmt.Errorf("the export is not whole: %w", err)
		case e.balances:
			if row := balanceRow(record, r.Header.WorkspaceID, e.cut); row != nil {
				_ = table.Write(row)
			}
		}
	}
}

// balanceRow shows a balance as keys.getKey did at the time of the export, with a refill that was due.
func balanceRow(r *records.Record, workspace string, cut int64) []string {
	var owner, id, name string
	var c *records.Credits
	switch {
	case r.Key != nil:
		owner, id, name, c = "key", string(r.Key.ID), r.Key.Name, r.Key.Credits
	case r.Identity != nil:
		owner, id, name, c = "identity", string(r.Identity.ID), r.Identity.ExternalID, r.Identity.Credits
	}
	if c == nil {
		return nil
	}
	if r.WorkspaceID != "" {
		workspace = r.WorkspaceID
	}
	stored := fsm.CreditRecord{Remaining: c.Remaining, RefilledAt: int64(c.RefilledAt), Considered: int64(c.ConsideredAt) / (24 * time.Hour).Milliseconds()}
	row := []string{workspace, owner, id, name, "", "", "", "", ""}
	if c.Refill != nil {
		row[5], row[6] = c.Refill.Interval, strconv.FormatInt(c.Refill.Amount, 10)
		stored.Refill = fsm.Refill{Interval: fsm.Daily, Amount: c.Refill.Amount}
		if c.Refill.RefillDay != 0 {
			row[7] = strconv.FormatInt(c.Refill.RefillDay, 10)
			stored.Refill.Interval, stored.Refill.Day = fsm.Monthly, uint8(c.Refill.RefillDay)
		}
	}
	remaining, refilledAt := stored.At(cut)
	row[4] = strconv.FormatInt(remaining, 10)
	if refilledAt != 0 {
		row[8] = strconv.FormatInt(refilledAt, 10)
	}
	return row
}
