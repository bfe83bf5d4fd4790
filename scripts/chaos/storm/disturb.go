package storm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

// disturb spreads changes of leader and installed snapshots over the storm, by its progress.
func (s *storm) disturb(ctx context.Context) error {
	total := s.config.LeaderChanges + s.config.Installs
	for i := range total {
		target := int64(s.config.Debits) * int64(i+1) / int64(total+1)
		if err := s.awaitProgress(ctx, target); err != nil {
			return err
		}
		// The installs are spread evenly among the changes.
		if ((i+1)*s.config.Installs+total/2)/total > (i*s.config.Installs+total/2)/total {
			if err := s.installSnapshot(ctx); err != nil {
				return fmt.Errorf("install snapshot: %w", err)
			}
			s.report.Installs++
			continue
		}
		if err := s.changeLeader(ctx, s.report.LeaderChanges); err != nil {
			return fmt.Errorf("change of leader: %w", err)
		}
		s.report.LeaderChanges++
	}
	return nil
}

func (s *storm) awaitProgress(ctx context.Context, debits int64) error {
	for s.done.Load() < debits {
		if launch.Pause(ctx, 5*time.Millisecond) != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// changeLeader kills the leader, asks it to transfer leadership, or kills all nodes, and waits for a leader of a later term.
func (s *storm) changeLeader(ctx context.Context, kind int) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	leader, term, err := s.cluster.Leader(ctx, 0)
	if err != nil {
		return err
	}
	what := "kill"
	switch kind % 4 {
	case 1:
		what = "transfer"
		// A cluster that is just short of a voter refuses; killing the leader has the same effect.
		if s.cluster.Transfer(ctx, (leader+1)%s.cluster.Size()) != nil {
			s.cluster.Kill(leader)
		}
	case 3:
		what = "kill all"
		s.cluster.KillAll()
	default:
		s.cluster.Kill(leader)
	}
	_, _ = fmt.Fprintf(s.config.Log, "%d debits done, %s, the leader was node %d\n", s.done.Load(), what, leader)
	if err := s.cluster.StartAll(); err != nil {
		return err
	}
	_, _, err = s.cluster.Leader(ctx, term+1)
	return err
}

// installSnapshot deletes a follower's data, so that it comes back as a new node and is sent a full snapshot.
func (s *storm) installSnapshot(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	leader, _, err := s.cluster.Leader(ctx, 0)
	if err != nil {
		return err
	}
	// Before the leader drops the beginning of its log, it may send a new node all entries instead. In which of its lives it dropped
	// them does not matter.
	if err := s.awaitLog(ctx, leader, 0, "compacting logs"); err != nil {
		return err
	}
	node := (leader + 1) % s.cluster.Size()
	_, _ = fmt.Fprintf(s.config.Log, "%d debits done, node %d loses its data\n", s.done.Load(), node)
	s.cluster.Kill(node)
	before, err := os.ReadFile(s.cluster.LogFile(node))
	if err != nil {
		return err
	}
	if err := s.cluster.Wipe(node); err != nil {
		return err
	}
	if err := s.cluster.Start(node); err != nil {
		return err
	}
	if err := s.cluster.AwaitNode(ctx, node); err != nil {
		return err
	}
	return s.awaitLog(ctx, node, len(before), "restored a snapshot")
}

// awaitLog waits until the log of a node says something, from an offset on.
func (s *storm) awaitLog(ctx context.Context, node, from int, text string) error {
	return launch.Await(ctx, fmt.Sprintf("node %d to log %q", node, text), func(context.Context) error {
		log, err := os.ReadFile(s.cluster.LogFile(node))
		if err == nil && !strings.Contains(string(log[from:]), text) {
			err = errors.New("its log does not have it")
		}
		return err
	})
}
