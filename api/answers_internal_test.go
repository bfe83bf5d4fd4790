package api

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// sized is a node whose verdicts have a size.
type sized struct {
	Node
	each int64
}

func (s *sized) VerdictBytes(keys []fsm.Hash) int64 { return s.each * int64(len(keys)) }

// As long as nobody knows how large a caller's verdicts are, the ledger says it: a first burst neither exceeds the room nor is refused in vain.
func TestAdmit_TheFirstBulkRequestsTakeWhatTheirKeysHave(t *testing.T) {
	node := &sized{each: 5000 * 131}
	a := &API{node: node, answers: newBudget(64 << 20), answerSizes: answerSizes{mean: map[answerSource]int64{}}, memoryShort: func() bool { return false }}
	a.metrics = &metrics{}
	a.metrics.noRoomForAnswer = prometheus.NewCounter(prometheus.CounterOpts{Name: "n"})
	e, caller := &endpoint{}, fsm.Hash{1}
	admitted := func(items int) (n int) {
		var calls []*call
		for ; n < 1000; n++ {
			c := &call{api: a, endpoint: e, actor: caller}
			if c.admit((&verifyKeysRequest{Verifications: make([]verification, items)}).bulkSize()) != nil {
				break
			}
			calls = append(calls, c)
		}
		for _, c := range calls {
			c.answer.release()
		}
		require.Zero(t, a.answers.inUse())
		return n
	}
	require.Equal(t, 2, admitted(100), "a quarter of the room each, and half of it for one caller")
	require.Equal(t, 51, admitted(1))
	node.each = 100
	require.Equal(t, 298, admitted(100), "1 KiB for each item, and what its key has")
	a.answerSizes.learn(e, caller, 100*300, 100)
	require.Equal(t, 327, admitted(100), "1 KiB for each item")
	a.answerSizes.learn(e, caller, 1000*200_000, 1000)
	require.Less(t, admitted(100), 20, "large answers count at once")
}
