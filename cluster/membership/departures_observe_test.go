package membership

import (
	"log/slog"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// observed is a raft whose configuration and indexes a test sets.
type observed struct {
	Raft
	servers       fixed
	last, applied uint64
}

func (o *observed) GetConfiguration() raft.ConfigurationFuture { return o.servers }
func (o *observed) LastIndex() uint64                          { return o.last }
func (o *observed) AppliedIndex() uint64                       { return o.applied }

// A leader uses a configuration before it is committed, and may take it back. Nobody has left before it is committed.
func TestDepartures_ObserveOnlyWhatIsCommitted(t *testing.T) {
	o := &observed{servers: three, last: 5, applied: 5}
	d := &Departures{
		Base: Base{NodeID: "a", Raft: o, Directory: newDirectory(three), Logger: slog.New(slog.DiscardHandler)},
		Keep: func([]byte) error { return nil }, list: make(map[string]Departure),
	}
	see := func() {
		for range 3 {
			d.observe()
		}
	}
	gone := func() bool { _, left := d.Of("c"); return left }
	see()
	o.servers, o.last = three[:2], 6
	see()
	require.False(t, gone(), "the entry is not committed")
	o.servers, o.applied = three, 6
	see()
	require.False(t, gone(), "the entry was taken back")
	o.servers, o.last = three[:2], 7
	see()
	o.applied = 7
	see()
	require.True(t, gone())
}
