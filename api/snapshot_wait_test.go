package api_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

// importing is a node that just got millions of keys: it writes a snapshot for longer than a client waits.
type importing struct {
	api.Node
	wanted *[]uint64 // by each request
}

func (n importing) Records(ctx context.Context, minIndex uint64) (api.Records, error) {
	*n.wanted = append(*n.wanted, minIndex)
	<-ctx.Done()
	return nil, fault.Wrap(fault.TimedOut, "", ctx.Err())
}

func (n importing) Snapshot(ctx context.Context, _ fsm.Hash, minIndex uint64) (api.Snapshot, error) {
	_, err := n.Records(ctx, minIndex)
	return nil, err
}

// A snapshot that takes long is no failure of the request that reads it: the client asks again, as the commands do, and finds it written. What it asks
// for is as new as its first request, because the ledger may always be newer than what is written. It cannot ask for what is not there yet.
func TestSnapshotWait_TellsTheClientToAskAgain(t *testing.T) {
	var wanted []uint64
	s := newServer(t, func(c *api.Config) { c.Node, c.RequestTimeout = importing{c.Node, &wanted}, time.Second })
	s = s.grant("export.*.read", "backup.*.read", "api.*.create_api")
	for _, endpoint := range []string{"records.exportRecords", "cluster.saveSnapshot"} {
		t.Run(endpoint, func(t *testing.T) {
			s, first := s.on(t), ""
			wanted = nil
			for _, header := range []string{"", "first", "18446744073709551615"} {
				if header == "first" {
					header = first
				}
				var headers []string
				if header != "" {
					headers = []string{"Creditd-Min-Index", header}
				}
				re := s.post(endpoint, `{}`, headers...).fails(429, "user/too_many_requests/workspace_rate_limited")
				require.Equal(t, "5", re.Header().Get("Retry-After"))
				require.Contains(t, re.Body.String(), "still being written")
				if first == "" {
					first = re.Header().Get("Creditd-Index")
				}
				require.Equal(t, fmt.Sprint(wanted[len(wanted)-1]), re.Header().Get("Creditd-Index"))
				s.must("apis.createApi", `{"name":"newer"}`)
			}
			require.NotZero(t, wanted[0])
			require.Equal(t, wanted[0], wanted[1])
			require.Greater(t, wanted[2], wanted[1], "the present one")
			require.Less(t, wanted[2], wanted[1]+10)
		})
	}
}
