package membership

import (
	"log/slog"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// Somebody has left when a committed configuration lacks it. raft's own configuration may be taken back, and does not count.
func TestDepartures_ObserveOnlyWhatIsCommitted(t *testing.T) {
	d := &Departures{
		Base:      Base{NodeID: "a", Directory: newDirectory(three), Logger: slog.New(slog.DiscardHandler)},
		Committed: new(Committed), Keep: func([]byte) error { return nil }, list: make(map[string]Departure), noted: make(map[string]time.Time), servers: three,
	}
	gone := func(id string) bool {
		d.observe()
		_, left := d.Of(id)
		return left
	}
	require.False(t, gone("c"))
	d.Directory = newDirectory(three[:2])
	require.False(t, gone("c"), "the entry is not committed")
	d.Committed.Add(three[:2])
	require.True(t, gone("c"))
	require.False(t, gone("b"))

	// Both entries are committed before anybody looks. The second alone would not show that d has been a member.
	late := raft.Server{ID: "d", Address: "d:1", Suffrage: raft.Voter}
	d.Committed.Add([]raft.Server{three[0], three[1], late})
	d.Committed.Add(three[:2])
	require.True(t, gone("d"))
}

// At a start the log is applied again. A node that was removed and is back under its id has not left.
func TestDepartures_ObserveKnowsWhoCameBack(t *testing.T) {
	d := &Departures{
		Base:      Base{NodeID: "a", Directory: newDirectory(three), Logger: slog.New(slog.DiscardHandler)},
		Committed: new(Committed), Keep: func([]byte) error { return nil }, list: make(map[string]Departure), noted: make(map[string]time.Time), servers: three,
	}
	d.Committed.Add(three[:2])
	d.Committed.Add(three)
	d.observe()
	require.Empty(t, d.list)
}

// A node that is told that it left ends with what it was told, so nobody tells it before the reason had time to arrive.
func TestDepartures_WaitForTheReason(t *testing.T) {
	d := &Departures{
		Base: Base{NodeID: "a", Directory: newDirectory(three[:2]), Logger: slog.New(slog.DiscardHandler)},
		Keep: func([]byte) error { return nil }, list: make(map[string]Departure), noted: make(map[string]time.Time),
	}
	d.Add(Departure{NodeID: "c", At: 5})
	list, complete := d.news()
	require.Empty(t, list.Departures)
	require.False(t, complete)
	d.Add(Departure{NodeID: "c", At: 5, By: "root key key_1"})
	list, complete = d.news()
	require.Len(t, list.Departures, 1)
	require.True(t, complete)

	d.Add(Departure{NodeID: "d", At: 5})
	d.noted["d"] = time.Now().Add(-reasonTime)
	list, complete = d.news()
	require.Len(t, list.Departures, 2, "a leader of an earlier build gives no reason")
	require.True(t, complete)
}
