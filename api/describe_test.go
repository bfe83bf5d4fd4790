package api

import (
	"encoding/json"
	"testing"

	"github.com/creditd/creditd/fsm"
	"github.com/stretchr/testify/require"
)

// TestEndpoints_AreDescribed: the document and docs/api.md have something to say of every endpoint.
func TestEndpoints_AreDescribed(t *testing.T) {
	for _, e := range endpoints() {
		require.NotEmpty(t, e.summary, "%s has no summary", e.name)
		require.True(t, json.Valid([]byte(e.example)), "%s has no example", e.name)
		if e.name != "rootKeys.getRootKey" { // which says what a root key may do
			require.NotEmpty(t, e.needs, "%s needs no permission", e.name)
		}
		for _, n := range e.needs {
			require.Contains(t, fsm.AllPermissions(), string(n.permission), e.name)
		}
	}
}
