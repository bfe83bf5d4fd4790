package cluster_test

import (
	"bytes"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/clustertest"
)

// A node writes every line to its own logger. What a library writes to hclog's default would reach stderr in another form, at any level.
func TestNode_LogsNothingPastItsLogger(t *testing.T) {
	var stray bytes.Buffer
	hclog.Default() // it is made once, and not again after a nil
	before := hclog.SetDefault(hclog.New(&hclog.LoggerOptions{Output: &stray, Level: hclog.Trace}))
	t.Cleanup(func() { hclog.SetDefault(before) })
	c := clustertest.New(t, 1, nil)
	c.Leader()
	c.Stop(0)
	require.Empty(t, stray.String())
}
