package api

import (
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/creditd/creditd/fsm"
)

type saveSnapshotRequest struct{}

const snapshotMedia = "application/octet-stream"

// saveSnapshot is cluster.saveSnapshot, docs/contract.md 7.6.
func saveSnapshot() *endpoint {
	return read("cluster.saveSnapshot", about{
		summary: "Stream the whole ledger at one index, as a backup",
		text: "The answer is a file that `creditd snapshot` inspects, verifies and restores. It has all workspaces, with the hashes of keys. `Creditd-Index` and `" + logTimeHeader +
			"` name its moment. Writes go on meanwhile. A node sends one at a time. " + askAgain + " The file ends with a SHA-256: one without it is incomplete.",
		needs:   []need{forAll(fsm.BackupPermission)},
		example: `{}`,
		media:   snapshotMedia,
	}, func(c *call, _ saveSnapshotRequest) (stream, error) {
		repeated := c.consistency.minIndex
		c.consistency = consistency{} // the file is never older than the first request, whatever else the headers say
		if err := c.authorize(fsm.BackupPermission); err != nil {
			return nil, err
		}
		if !c.api.saving.TryLock() {
			return nil, &problem{errorType: &tooManyRequests, detail: "This node sends another snapshot: ask another node, or later", retryAfter: 5}
		}
		snapshot, err := openedSnapshot(c, repeated, func(ctx context.Context, minIndex uint64) (Snapshot, error) {
			return c.api.node.Snapshot(ctx, c.actor, minIndex)
		})
		if err != nil {
			c.api.saving.Unlock()
			return nil, err
		}
		c.index = snapshot.Index()
		c.gin.Header(logTimeHeader, strconv.FormatInt(snapshot.Clock(), 10))
		return func(ctx context.Context, w *chunks) (err error) {
			defer c.api.saving.Unlock()
			defer func() {
				if err = errors.Join(err, snapshot.Close()); err != nil {
					c.api.metrics.exportsCut.Inc()
				}
			}()
			return w.within(ctx, exportTime, func(ctx context.Context) error { return snapshot.Write(ctx, w) })
		}, nil
	})
}

// Snapshot is the whole ledger at one index.
type Snapshot interface {
	// Index is the index, and Clock the log time in Unix ms.
	Index() uint64
	Clock() int64
	// Write writes the file. It waits for turns of the CPU, and takes none while it waits for w.
	Write(ctx context.Context, w io.Writer) error
	Close() error
}
