package storm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/creditd/creditd/scripts/chaos/local"
)

// disturb spreads changes of leader and whole copies over the storm, by its progress.
func (s *storm) disturb(ctx context.Context) error {
	total := s.config.LeaderChanges + s.config.Copies
	for i := range total {
		if err := s.awaitProgress(ctx, int64(s.config.Charges)*int64(i+1)/int64(total+1)); err != nil {
			return err
		}
		// The copies are spread evenly among the changes.
		if ((i+1)*s.config.Copies+total/2)/total > (i*s.config.Copies+total/2)/total {
			if err := s.copyAll(ctx); err != nil {
				return fmt.Errorf("whole copy: %w", err)
			}
			s.report.Copies++
			continue
		}
		if err := s.changeLeader(ctx, s.report.LeaderChanges); err != nil {
			return fmt.Errorf("change of leader: %w", err)
		}
		s.report.LeaderChanges++
	}
	return nil
}

func (s *storm) awaitProgress(ctx context.Context, charges int64) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for s.done.Load() < charges {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
	}
	return nil
}

// leader returns who leads, and the term.
func (s *storm) leader(ctx context.Context) (leader int, term uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = local.Await(ctx, "a leader", func(context.Context) error {
		for node := range s.cluster.Size() {
			status, err := s.client.Status(s.cluster.HTTPAddr(node))
			if err != nil {
				continue
			}
			if leader = slices.Index(s.cluster.HTTPAddrs(), status.LeaderAddr()); leader >= 0 && s.cluster.Running(leader) {
				term = status.Term
				return nil
			}
		}
		return errors.New("nobody says who leads")
	})
	return leader, term, err
}

// changeLeader does it by force, on request, or by ending all nodes, and waits until there is a leader of a later term.
func (s *storm) changeLeader(ctx context.Context, kind int) error {
	leader, term, err := s.leader(ctx)
	if err != nil {
		return err
	}
	what := "kill"
	switch kind % 4 {
	case 1:
		what = "transfer"
		// A cluster that is just short of a voter refuses; killing the leader has the same effect.
		if answer := s.client.Call(s.cluster.HTTPAddr(leader), "cluster.transferLeadership", struct{}{}, nil); answer.Status != 200 {
			s.cluster.Kill(leader)
		}
	case 3:
		what = "kill all"
		s.cluster.KillAll()
	default:
		s.cluster.Kill(leader)
	}
	_, _ = fmt.Fprintf(s.config.Log, "%d charges done, %s, the leader was node %d\n", s.done.Load(), what, leader)
	if err := s.cluster.StartAll(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return local.Await(ctx, "a leader of a later term", func(ctx context.Context) error {
		_, now, err := s.leader(ctx)
		if err == nil && now <= term {
			err = fmt.Errorf("the term is still %d", now)
		}
		return err
	})
}

// copyAll takes a follower's data away, so that it comes back as a newcomer and is sent the whole ledger.
func (s *storm) copyAll(ctx context.Context) error {
	leader, _, err := s.leader(ctx)
	if err != nil {
		return err
	}
	if err := s.awaitCompaction(ctx, leader); err != nil {
		return err
	}
	node := (leader + 1) % s.cluster.Size()
	_, _ = fmt.Fprintf(s.config.Log, "%d charges done, node %d loses its data\n", s.done.Load(), node)
	s.cluster.Kill(node)
	before, err := os.ReadFile(s.cluster.LogOf(node))
	if err != nil {
		return err
	}
	if err := s.cluster.Wipe(node); err != nil {
		return err
	}
	if err := s.cluster.Start(node); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.cluster.AwaitNode(ctx, node); err != nil {
		return err
	}
	return local.Await(ctx, "the newcomer to be sent a snapshot", func(context.Context) error {
		log, err := os.ReadFile(s.cluster.LogOf(node))
		if err == nil && !strings.Contains(string(log[len(before):]), "restored a snapshot") {
			err = errors.New("its log does not mention one")
		}
		return err
	})
}

// awaitCompaction waits until a node has dropped the beginning of its log: before that it may send a newcomer all entries instead of a
// snapshot. What was dropped stays dropped, so it does not matter in which of its lives it was.
func (s *storm) awaitCompaction(ctx context.Context, node int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return local.Await(ctx, "the leader to drop the beginning of its log", func(context.Context) error {
		log, err := os.ReadFile(s.cluster.LogOf(node))
		if err == nil && !strings.Contains(string(log), "compacting logs") {
			err = errors.New("its log does not mention it")
		}
		return err
	})
}
