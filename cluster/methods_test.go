package cluster

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A node that is not upgraded yet would take a method with another number for another method. New rows come at the end.
func TestMethods_KeepTheirNumbers(t *testing.T) {
	var names []string
	for _, row := range new(Node).methods() {
		names = append(names, row.String())
	}
	require.Equal(t, []string{
		"1 execute", "2 read index", "3 status", "4 transfer leadership", "5 identify", "6 remove", "7 leave", "8 fitness",
		"9 checkpoints", "10 diverged", "11 departures", "12 remove server",
		"13 change gossip keys", "14 change gossip ring", "15 execute traced",
	}, names)
}
