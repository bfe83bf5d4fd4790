package migrate

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Who reads only what changed is told what that cannot show.
func TestSummary_SaysWhatALaterPassCannotSee(t *testing.T) {
	text := func(s Summary) string {
		var b strings.Builder
		require.NoError(t, s.WriteText(&b))
		return b.String()
	}
	require.NotContains(t, text(Summary{}), "--since")
	since := time.Date(2026, time.May, 4, 3, 2, 1, 0, time.UTC)
	require.Contains(t, text(Summary{Since: &since}), "Only what changed since 2026-05-04T03:02:01Z was read")
}
