package api

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// As long as nobody knows how large a caller's verdicts are, each bulk request has the room of the largest answer. Then that of its items.
func TestAdmit_TheFirstBulkRequestsTakeTheMost(t *testing.T) {
	a := &API{answers: newBudget(64 << 20), answerSizes: answerSizes{mean: map[answerSource]int64{}}, memoryShort: func() bool { return false }}
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
	a.answerSizes.learn(e, caller, 100*300, 100)
	require.Equal(t, 327, admitted(100), "1 KiB for each item")
	a.answerSizes.learn(e, caller, 1000*200_000, 1000)
	require.Less(t, admitted(100), 20, "large answers count at once")
}
