package api

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/fsm"
)

type exportRecordsRequest struct {
	WorkspaceID string `json:"workspaceId" schema:"minLength=1,maxLength=255" doc:"Default: the workspace of the root key. Another one needs cluster.*.operate."`
	All         bool   `json:"all" schema:"default=false" doc:"The whole cluster. Needs cluster.*.operate."`
}

const recordsMedia = "application/x-ndjson"

// logTimeHeader has the log time of an export, in Unix milliseconds.
const logTimeHeader = "Creditd-Log-Time"

// exportRecords is records.exportRecords, docs/contract.md 7.5 and docs/records.md.
func exportRecords() *endpoint {
	return read("records.exportRecords", about{
		summary: "Stream everything of a workspace, or of the cluster, at one index",
		text: "The answer is a file of records, one JSON object per line: docs/records.md has the format. `Creditd-Index` and `" + logTimeHeader +
			"` name its moment. Writes go on meanwhile. A node makes one export at a time, and one more with `all`. Exports of one's own workspace rest after long ones. " + askAgain + " A file without an `end` line is incomplete.",
		needs:     []need{forAll(fsm.ExportPermission)},
		needsNote: "Another workspace, and `all`, also need `cluster.*.operate`.",
		example:   `{}`,
		media:     recordsMedia,
	}, func(c *call, req exportRecordsRequest) (stream, error) {
		if req.All && req.WorkspaceID != "" {
			if err := c.authenticate(); err != nil {
				return nil, err
			}
			return nil, invalid("Give 'workspaceId' or 'all', not both")
		}
		asked := time.Now()
		repeated := c.consistency.minIndex
		c.consistency = consistency{} // the file is never older than the first request, whatever else the headers say
		scope, err := answer[*fsm.ExportScope](c, &fsm.AuthorizeExport{WorkspaceID: req.WorkspaceID, All: req.All})
		if err != nil {
			return nil, err
		}
		rests := &c.api.exportRests
		own, err := c.exportsOwn(scope, req)
		if err == nil && own {
			err = rests.mayExport(scope.WorkspaceID, asked)
		}
		if err != nil {
			return nil, err
		}
		slot := &c.api.exporting[0]
		if req.All {
			slot = &c.api.exporting[1] // tenants cannot keep the operator from a backup
		}
		if !slot.TryLock() {
			return nil, &problem{errorType: &tooManyRequests, detail: "This node makes another export: ask another node, or later", retryAfter: 5}
		}
		began := time.Now()
		done := func() {
			if own {
				now := time.Now()
				rests.note(scope.WorkspaceID, now.Sub(began), now)
			}
			slot.Unlock()
		}
		view, err := openedSnapshot(c, repeated, c.api.node.Records)
		if err != nil {
			done()
			return nil, err
		}
		c.index = view.Index()
		c.gin.Header(logTimeHeader, strconv.FormatInt(view.Clock(), 10))
		x := &exporter{view: view, workspace: scope.WorkspaceID, all: req.All}
		return func(ctx context.Context, w *chunks) (err error) {
			defer done()
			whole := false
			defer func() {
				if err = errors.Join(err, view.Close()); !whole {
					c.api.metrics.exportsCut.Inc()
				}
			}()
			err = x.send(ctx, w, exportTime)
			whole = err == nil
			return err
		}, nil
	})
}

// exportsOwn reports whether an export is of the caller's workspace. Those of others are an operator's.
func (c *call) exportsOwn(scope *fsm.ExportScope, req exportRecordsRequest) (bool, error) {
	if req.All || req.WorkspaceID == "" {
		return !req.All, nil
	}
	own, err := answer[*fsm.ExportScope](c, &fsm.AuthorizeExport{})
	return err == nil && own.WorkspaceID == scope.WorkspaceID, err
}

// Records is the ledger as it was at one index.
type Records interface {
	// Index is the index, and Clock the log time in Unix ms.
	Index() uint64
	Clock() int64
	// Each calls visit for each record of a kind, in the order of ids. visit may call Find. A record is valid until the next of its kind is read.
	Each(kind fsm.Kind, visit func(fsm.Record) error) error
	// Find finds a record; nil: there is none.
	Find(name fsm.RecordKey) (fsm.Record, error)
	// Rest is called after a piece of work, with the time that it took. It lets others have the CPU, for several times as long.
	Rest(ctx context.Context, worked time.Duration) error
	Close() error
}

// exportWork is how long an export works before it rests. Whatever comes meanwhile waits for it.
const exportWork = 250 * time.Microsecond

// exporter writes the records of one workspace, or of all.
type exporter struct {
	view      Records
	workspace string
	all       bool

	out    *records.Writer
	to     *chunks
	began  time.Time     // the work, after the last rest
	waited time.Duration // for the client, until then
	known  known
	reused reused
}

// send writes the whole file within a time.
func (x *exporter) send(ctx context.Context, w *chunks, within time.Duration) error {
	return w.within(ctx, within, func(ctx context.Context) error { return x.write(ctx, w) })
}

func (x *exporter) write(ctx context.Context, w *chunks) (err error) {
	header := x.workspace
	if x.all {
		header = ""
	}
	if x.out, err = records.NewWriter(w, header); err != nil {
		return err
	}
	x.known.reset()
	x.to, x.began = w, time.Now()
	for _, kind := range exportedKinds {
		if (kind == fsm.WorkspaceKind || kind == fsm.RootKeyKind) && !x.all {
			continue
		}
		if err := x.view.Each(kind, func(r fsm.Record) error { return x.one(ctx, r) }); err != nil {
			return err
		}
	}
	_, err = x.out.End()
	return err
}

func (x *exporter) one(ctx context.Context, r fsm.Record) error {
	if worked := time.Since(x.began) - (x.to.waited - x.waited); worked >= exportWork {
		if err := x.view.Rest(ctx, worked); err != nil {
			return err
		}
		x.began, x.waited = time.Now(), x.to.waited
	}
	shown, workspace, err := x.exported(r)
	if err != nil {
		return fmt.Errorf("export of %v: %w", r.Key(), err)
	}
	if shown == nil || !x.all && workspace != x.workspace {
		return nil
	}
	if x.all {
		shown.WorkspaceID = workspace
	}
	return x.out.Write(shown)
}
