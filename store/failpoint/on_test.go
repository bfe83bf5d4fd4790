//go:build chaos

package failpoint_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store/failpoint"
)

func TestFail_TriggersOnTheHitThatWasNamed(t *testing.T) {
	t.Cleanup(func() { require.NoError(t, failpoint.Arm("")) })
	require.NoError(t, failpoint.Arm("log-before-store=error@2, log-after-store=error@2+\nreply-before-local=sleep(1ms)"))
	var once, on []bool
	for range 4 {
		once = append(once, failpoint.Fail(failpoint.LogBeforeStore) != nil)
		on = append(on, failpoint.Fail(failpoint.LogAfterStore) != nil)
	}
	require.Equal(t, []bool{false, true, false, false}, once)
	require.Equal(t, []bool{false, true, true, true}, on)
	before := time.Now()
	failpoint.Hit(failpoint.ReplyBeforeLocal)
	require.GreaterOrEqual(t, time.Since(before), time.Millisecond)
	require.NoError(t, failpoint.Arm("vote-half=panic"))
	require.NoError(t, failpoint.Fail(failpoint.LogAfterStore), "arming again replaces what was armed")
	require.Panics(t, func() { failpoint.Hit(failpoint.VoteHalf) })
}

func TestArm_RefusesWhatIsNoFailpoint(t *testing.T) {
	for _, text := range []string{"nowhere=kill", "vote-half", "vote-half=explode", "vote-half=kill@0", "vote-half=sleep(long)"} {
		require.Error(t, failpoint.Arm(text), text)
	}
}
