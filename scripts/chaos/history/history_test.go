package history

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The linearizability check reads these names. It is another module, so only this test ties the two.
func TestSave_WritesWhatTheCheckReads(t *testing.T) {
	name := filepath.Join(t.TempDir(), "history.jsonl")
	require.NoError(t, Save(name, []Account{{Name: "key-1", Initial: 7, Final: 5}}, []Operation{
		{Kind: Debit, Amount: 2, Balance: 5, Index: 9, Start: 1, End: 4, Client: 3, Node: 2, Status: 200},
		{Kind: Set, Amount: 1, Outcome: Unknown, Start: 5, End: 8, Detail: "EOF"},
	}))
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, `{"account":0,"name":"key-1","initial":7,"final":5}
{"account":0,"kind":"debit","amount":2,"outcome":"ok","balance":5,"index":9,"start":1,"end":4,"client":3,"node":2,"status":200}
{"account":0,"kind":"set","amount":1,"outcome":"unknown","balance":0,"start":5,"end":8,"client":0,"node":0,"detail":"EOF"}
`, string(text))
	require.Error(t, Save(filepath.Join(t.TempDir(), "missing", "x"), nil, nil))
}
