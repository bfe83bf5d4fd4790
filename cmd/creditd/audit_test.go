package main

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// An import changes hundreds of things. A line of the table stays readable, and says how many there are.
func TestAuditShown_NamesAFew(t *testing.T) {
	entry := auditShown{Event: "records.import", Omitted: 50}
	for i := range int64(100) {
		entry.Resources = append(entry.Resources, auditedThing{Type: "key", ID: fmt.Sprintf("key_%d", i)})
		entry.Balances = append(entry.Balances, auditedThing{Type: "key", ID: fmt.Sprintf("key_%d", i), After: &i})
	}
	row := entry.row()
	require.Equal(t, "key key_0, key key_1, key key_2, and 147 more", row[3])
	require.Equal(t, "key_0: unlimited → 0, key_1: unlimited → 1, key_2: unlimited → 2, and 97 more", row[4])
	require.Empty(t, (&auditShown{}).row()[3])
}
