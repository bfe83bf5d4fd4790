package migrate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

func TestProgress_ShowsRateAndTimeLeft(t *testing.T) {
	p := &Progress{}
	require.Empty(t, p.line(time.Now()))
	p.begin(step{table: "keys"}, 1000)
	p.add(250, 2)
	require.Equal(t, "keys: 250 of 1000 rows, 50/s, 15s left, 2 problems", p.line(p.began.Add(5*time.Second)))
	p.begin(step{table: "keys", part: unkey.Balances}, 0)
	require.Equal(t, "balances of keys: 0 rows, 2 problems", p.line(p.began.Add(time.Second)))
}
