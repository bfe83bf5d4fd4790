package main

import (
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/creditd/creditd/api"
	"github.com/stretchr/testify/require"
)

// TestPage_IsUpToDate: the pages are generated. A change of an endpoint or of a metric must generate them again.
func TestPage_IsUpToDate(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	require.NoError(t, err)
	require.True(t, string(text) == page(), "docs/api.md is stale: go run ./scripts/apidoc > docs/api.md (or make fix)")

	text, err = os.ReadFile("../../docs/sdk-methods.md")
	require.NoError(t, err)
	require.Equal(t, methodsPage(), string(text), "go run ./scripts/apidoc methods > docs/sdk-methods.md (or make fix)")

	text, err = os.ReadFile("../../docs/metrics.md")
	require.NoError(t, err)
	metrics, err := metricsPage("../..")
	require.NoError(t, err)
	require.Equal(t, metrics, string(text), "go run ./scripts/apidoc metrics > docs/metrics.md (or make fix)")
}

// TestMethods_AreServedOrNot: what the server says about methods that it does not serve agrees with the SDKs.
func TestMethods_AreServedOrNot(t *testing.T) {
	served := map[string]bool{}
	for _, e := range api.Describe() {
		served[e.Name] = true
	}
	missing := map[string]bool{}
	for _, list := range []string{goMethods, typescriptMethods} {
		for name := range set(list) {
			if !served[name] {
				missing[name] = true
			}
		}
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(missing)), api.NotServed(), "the list in api/notserved.go")
}
