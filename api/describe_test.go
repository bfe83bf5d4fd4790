package api

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/creditd/creditd/fsm"
	"github.com/stretchr/testify/require"
)

// TestEndpoints_AreDescribed: the document and docs/api.md have something to say of every endpoint.
func TestEndpoints_AreDescribed(t *testing.T) {
	for _, e := range endpoints() {
		require.NotEmpty(t, e.summary, "%s has no summary", e.name)
		require.True(t, json.Valid([]byte(e.example)), "%s has no example", e.name)
		lacks := e.problem(&refusals[fsm.InsufficientPermissions])
		if e.name == "rootKeys.getRootKey" { // which says what a root key may do
			require.NotContains(t, e.describe().Problems, lacks)
		} else {
			require.NotEmpty(t, e.needs, "%s needs no permission", e.name)
			told := slices.ContainsFunc(e.needs, func(n need) bool { return !n.silent })
			require.Equal(t, told, slices.Contains(e.describe().Problems, lacks), e.name)
		}
		for _, n := range e.needs {
			require.Contains(t, fsm.AllPermissions(), string(n.permission), e.name)
		}
	}
}
