package main

import (
	"context"
	"fmt"
	"time"

	"github.com/creditd/creditd/scripts/launch"
	"github.com/creditd/creditd/store/failpoint"
)

// stage is how a node is brought to pass a failpoint.
type stage func(*crasher, context.Context, failpoint.Name) error

// stages says for each failpoint how it is reached.
var stages = map[failpoint.Name]stage{
	failpoint.LogBeforeStore: anyNode, failpoint.LogAfterStore: anyNode,
	failpoint.LogBeforeTruncate: anyNodeAtOnce, failpoint.LogAfterTruncate: anyNodeAtOnce,
	failpoint.TermBeforeWrite: election, failpoint.TermAfterWrite: election,
	failpoint.VoteHalf: election, failpoint.VoteBeforeWrite: election, failpoint.VoteAfterWrite: election,
	failpoint.FileBeforeRename: newNode, failpoint.FileAfterRename: newNode,
	failpoint.SnapshotCaptured: anyNodeAtOnce, failpoint.SnapshotBeforeCommit: anyNodeAtOnce,
	failpoint.SnapshotAfterCommit: anyNodeAtOnce, failpoint.SnapshotPersisted: anyNodeAtOnce,
	failpoint.CopyReceived: copying, failpoint.CopySynced: copying, failpoint.CopyVerified: copying,
	failpoint.InstallBeforeRename: copying, failpoint.InstallAfterRename: copying, failpoint.InstallAfterSwap: copying,
	failpoint.RestoreBeforeLoad: restoring, failpoint.RestoreBeforeSwap: restoring, failpoint.RestoreAfterSwap: restoring,
	failpoint.OpenBeforeDroppingLog: droppingLog,
	failpoint.EntryBeforePropose:    leader, failpoint.EntryAfterPropose: leader,
	failpoint.EntryBeforeApply: anyNode, failpoint.EntryAfterApply: anyNode,
	failpoint.ReplyBeforeLocal: leader, failpoint.ReplyBeforeForwarded: leader,
	failpoint.SessionBeforeOpen: starting, failpoint.SessionAfterOpen: starting,
	failpoint.CallIDBeforeSettle: anyNode,
	failpoint.TermGained:         election, failpoint.TermServing: election,
	failpoint.LedgerFounded: newLedger,
}

// hits bounds the number of the hit that kills, where hits are many.
const hits = 50

func (c *crasher) armed(name failpoint.Name, at int) string {
	return fmt.Sprintf("%s=kill@%d", name, at)
}

func (c *crasher) anyNode() int { return c.random.IntN(c.cluster.Size()) }

func anyNode(c *crasher, ctx context.Context, name failpoint.Name) error {
	return c.killAt(ctx, name, 1+c.random.IntN(hits), c.anyNode())
}

func anyNodeAtOnce(c *crasher, ctx context.Context, name failpoint.Name) error {
	return c.killAt(ctx, name, 1, c.anyNode())
}

func leader(c *crasher, ctx context.Context, name failpoint.Name) error {
	i, err := c.leader(ctx)
	if err != nil {
		return err
	}
	return c.killAt(ctx, name, 1+c.random.IntN(hits), i)
}

// killAt arms a running node and waits for its end.
func (c *crasher) killAt(ctx context.Context, name failpoint.Name, at, i int) error {
	if err := c.arm(i, c.armed(name, at)); err != nil {
		return err
	}
	return c.awaitEnd(ctx, i)
}

// election kills the leader; one of the others is to die while it votes or takes over.
func election(c *crasher, ctx context.Context, name failpoint.Name) error {
	lead, err := c.leader(ctx)
	if err != nil {
		return err
	}
	var others []int
	for i := range c.cluster.Size() {
		if i == lead {
			continue
		}
		others = append(others, i)
		if err := c.arm(i, c.armed(name, 1)); err != nil {
			return err
		}
	}
	c.cluster.Kill(lead)
	return c.awaitEnd(ctx, others...)
}

// starting kills a node while it comes up.
func starting(c *crasher, ctx context.Context, name failpoint.Name) error {
	i := c.anyNode()
	c.cluster.Kill(i)
	return c.startArmed(ctx, i, c.armed(name, 1))
}

// restoring kills a node while it comes up from a snapshot, which it must have taken.
func restoring(c *crasher, ctx context.Context, name failpoint.Name) error {
	i := c.anyNode()
	if err := launch.Await(ctx, "a snapshot", func(ctx context.Context) error { return c.hasSnapshot(ctx, i) }); err != nil {
		return err
	}
	c.cluster.Kill(i)
	return c.startArmed(ctx, i, c.armed(name, 1))
}

func (c *crasher) startArmed(ctx context.Context, i int, text string) error {
	if err := c.cluster.Inject(i, "failpoints", text); err != nil {
		return err
	}
	if err := c.cluster.Start(i); err != nil {
		return err
	}
	c.cluster.ExpectExit(i, true)
	return c.awaitEnd(ctx, i)
}

// copying keeps a node away until the others have cut off the log that it would need.
func copying(c *crasher, ctx context.Context, name failpoint.Name) error {
	i, err := c.fallBehind(ctx)
	if err != nil {
		return err
	}
	return c.startArmed(ctx, i, c.armed(name, 1))
}

func (c *crasher) fallBehind(ctx context.Context) (i int, err error) {
	lead, err := c.leader(ctx)
	if err != nil {
		return 0, err
	}
	i = (lead + 1 + c.random.IntN(c.cluster.Size()-1)) % c.cluster.Size()
	before, err := c.applied(ctx, lead)
	if err != nil {
		return 0, err
	}
	// A node that was down until now may not have a log of its own yet.
	err = launch.Await(ctx, "the node to follow", func(ctx context.Context) error {
		status, err := c.cluster.Status(ctx, i)
		for _, n := range status.Nodes {
			if n.HTTPAddr == c.cluster.HTTPAddr(i) && n.AppliedIndex < before+trailingLogs {
				return fmt.Errorf("it is at %d, the leader was at %d", n.AppliedIndex, before)
			}
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	c.cluster.Kill(i)
	if before, err = c.applied(ctx, lead); err != nil {
		return 0, err
	}
	return i, launch.Await(ctx, "the others to drop what the node lacks", func(ctx context.Context) error {
		for other := range c.cluster.Size() {
			if other == i {
				continue
			}
			first, err := c.gauge(ctx, other, "creditd_store_log_first_index")
			if err != nil {
				return err
			}
			if uint64(first) <= before+1 {
				return fmt.Errorf("the log of node %d begins at %.0f, the node may be at %d", other, first, before)
			}
		}
		return nil
	})
}

// droppingLog kills a node that has installed a snapshot beyond its log, and once more when it finds that out.
func droppingLog(c *crasher, ctx context.Context, name failpoint.Name) error {
	if c.logStore != "wal" {
		return errNotPassed
	}
	for {
		i, err := c.fallBehind(ctx)
		if err != nil {
			return err
		}
		if err := c.startArmed(ctx, i, c.armed(failpoint.InstallAfterSwap, 1)); err != nil {
			return err
		}
		// A node that had nothing but an earlier snapshot has no log to drop.
		soon, cancel := context.WithTimeout(ctx, 3*time.Second)
		err = c.startArmed(soon, i, c.armed(name, 1))
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
		if err := c.repair(ctx); err != nil {
			return err
		}
	}
}

// newNode kills the first node of a cluster of one while it makes its directory.
func newNode(c *crasher, ctx context.Context, name failpoint.Name) error {
	return c.killNew(ctx, c.armed(name, 1+c.random.IntN(3)))
}

func newLedger(c *crasher, ctx context.Context, name failpoint.Name) error {
	return c.killNew(ctx, c.armed(name, 1))
}
