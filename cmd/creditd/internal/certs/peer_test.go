package certs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A pattern stands for host names of one more label, and for no URI that ends like one.
func TestMatches_HostsOnly(t *testing.T) {
	const pattern = "*.nodes.example"
	require.True(t, matches(pattern, "a.nodes.example"))
	require.True(t, matches(pattern, "A.NODES.example"))
	for _, other := range []string{"nodes.example", "a.b.nodes.example", "a.nodes.example.org", "urn:a.nodes.example", "spiffe://a.nodes.example", "x:me@a.nodes.example"} {
		require.False(t, matches(pattern, other), other)
	}
	require.True(t, matches("spiffe://cluster/node", "spiffe://cluster/node"))
}
