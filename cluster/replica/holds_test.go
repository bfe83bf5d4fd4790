package replica

import (
	"log/slog"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

// Each hold counts once, for the command or the query that it was for.
func TestHolds_AreCountedByCommand(t *testing.T) {
	r := New(Config{Logger: slog.New(slog.DiscardHandler), CheckpointEntries: 1000, RaiseLedgerVersion: func(uint64, string) error { return nil }})
	verify, create := fsm.Call{Command: &fsm.VerifyKey{}}, fsm.Call{Command: &fsm.CreateAPI{}}
	data := codec.AppendBatch(nil, fsm.Batch{Calls: []fsm.Call{verify, verify, verify, create, verify, create, create}})
	r.Apply(&raft.Log{Index: 1, Type: raft.LogCommand, Data: data})
	r.Peek(&create, true)
	r.Peek(&verify, true)
	_, _, err := r.Answer(t.Context(), fsm.Hash{}, &fsm.GetAPI{}, 0)
	require.NoError(t, err)

	registry := prometheus.NewRegistry()
	registry.MustRegister(r.Holds())
	families, err := registry.Gather()
	require.NoError(t, err)
	require.Len(t, families, 1)
	counts := map[string]uint64{}
	for _, m := range families[0].Metric {
		counts[m.Label[1].GetValue()+" "+m.Label[0].GetValue()] = m.Histogram.GetSampleCount()
	}
	require.Equal(t, map[string]uint64{
		"apply VerifyKey": 2, "apply CreateAPI": 3, "apply entry": 1, "peek CreateAPI": 1, "answer GetAPI": 1,
	}, counts)
}
