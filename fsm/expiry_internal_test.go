package fsm

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

type timer struct {
	at, id int64
	place  int32
}

func (t *timer) deadline() int64 { return t.at }

func (t *timer) slot() *int32 { return &t.place }

func (t *timer) sooner(o *timer) bool {
	if t.at != o.at {
		return t.at < o.at
	}
	return t.id < o.id
}

// Whatever was added, moved and taken out, the queue ends things in their total order, and no more than it may.
func TestDeadlines_EndThingsInOrder(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var queue deadlines[*timer]
		var live []*timer
		for id := range int64(200) {
			switch op := rng.IntN(10); {
			case op < 6 || len(live) == 0:
				item := &timer{at: rng.Int64N(40), id: id}
				queue.add(item)
				live = append(live, item)
			case op < 8:
				item := live[rng.IntN(len(live))]
				item.at = rng.Int64N(40)
				queue.fix(item)
			default:
				i := rng.IntN(len(live))
				queue.remove(live[i])
				live = slices.Delete(live, i, i+1)
			}
		}
		slices.SortFunc(live, func(a, b *timer) int {
			if a.sooner(b) {
				return -1
			}
			return 1
		})
		now := int64(20)
		var want, got []int64
		for _, item := range live {
			if item.at <= now {
				want = append(want, item.id)
			}
		}
		for len(got) < len(want) {
			before := len(got)
			queue.expire(now, 3, func(item *timer) { got = append(got, item.id) })
			require.LessOrEqual(t, len(got)-before, 3)
			require.Greater(t, len(got), before, "seed %d", seed)
		}
		queue.expire(now, 3, func(*timer) { t.Error("ended before its time") })
		require.Equal(t, want, got, "seed %d", seed)
		require.Len(t, queue, len(live)-len(want))
	}
}

// One entry ends a bounded number of sessions; the others count as ended all the same.
func TestSessions_EndInBoundedNumbers(t *testing.T) {
	s := New()
	open := make([]Call, expiredPerEntry+10)
	for i := range open {
		open[i].Command = &OpenSession{Node: "n" + string(rune('a'+i))}
	}
	s.Apply(Batch{Stamp: 1, Calls: open})
	require.Len(t, s.sessions, len(open))

	late := Batch{Stamp: 2 + sessionTTL, Calls: []Call{{ID: CallID{Session: uint64(len(open)), Seq: 1, AckedBelow: 1}, Command: &OpenSession{}}}}
	require.Equal(t, refuse(SessionExpired), s.Apply(late)[0])
	require.Len(t, s.sessions, 10)
	s.Apply(Batch{Stamp: 3 + sessionTTL})
	require.Empty(t, s.sessions)
}
