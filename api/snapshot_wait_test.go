package api_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

// importing is a node that just got millions of keys: it writes a snapshot for longer than a client waits.
type importing struct{ api.Node }

func (importing) Records(ctx context.Context, _ uint64) (api.Records, error) {
	<-ctx.Done()
	return nil, fault.Wrap(fault.TimedOut, "", ctx.Err())
}

func (importing) Snapshot(ctx context.Context, _ fsm.Hash, _ uint64) (api.Snapshot, error) {
	<-ctx.Done()
	return nil, fault.Wrap(fault.TimedOut, "", ctx.Err())
}

// A snapshot that takes long is no failure of the request that reads it: the client asks again, as the commands do, and finds it written.
func TestSnapshotWait_TellsTheClientToAskAgain(t *testing.T) {
	s := newServer(t, func(c *api.Config) { c.Node, c.RequestTimeout = importing{c.Node}, 4*time.Second })
	s = s.grant("export.*.read", "backup.*.read")
	for _, endpoint := range []string{"records.exportRecords", "cluster.saveSnapshot"} {
		t.Run(endpoint, func(t *testing.T) {
			re := s.on(t).post(endpoint, `{}`).fails(429, "user/too_many_requests/workspace_rate_limited")
			require.Equal(t, "5", re.Header().Get("Retry-After"))
			require.Contains(t, re.Body.String(), "still being written")
		})
	}
}
