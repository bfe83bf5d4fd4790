package main

import (
	"go/parser"
	"go/token"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/scripts/launch"
)

// The code moves on, and a bug that cannot be planted any more tests nothing. Whether the bugs are found takes minutes: make mutants.
func TestBugs_CanBePlanted(t *testing.T) {
	root, err := launch.Root()
	require.NoError(t, err)
	require.Len(t, bugs, 15)
	for _, b := range bugs {
		changed, err := b.apply(root)
		require.NoError(t, err)
		for file, text := range changed {
			_, err := parser.ParseFile(token.NewFileSet(), file, text, 0)
			require.NoError(t, err, b.name)
		}
	}
	_, err = bug{edits: []edit{{"fsm/apply.go", "no such text", ""}}}.apply(root)
	require.Error(t, err)
}
