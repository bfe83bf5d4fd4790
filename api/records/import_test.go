package records_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/records"
)

// An outcome says that no record can go into a workspace only if the record names one, and refers to nothing else.
func TestOutcome_WorkspaceFault(t *testing.T) {
	api, key := &records.API{ID: "api_1"}, &records.Key{ID: "key_1"}
	for _, test := range []struct {
		reason string
		record records.Record
		says   string
	}{
		{records.OperatorOnly, records.Record{WorkspaceID: "ws_1", Key: key}, "the root key may not write into the workspace ws_1"},
		{records.ReferenceMissing, records.Record{WorkspaceID: "ws_1", API: api}, "the cluster has no workspace ws_1"},
		{records.ReferenceMissing, records.Record{WorkspaceID: "ws_1", Key: key}, ""},
		{records.OperatorOnly, records.Record{WorkspaceID: "ws_1", Workspace: &records.Workspace{ID: "ws_1"}}, ""},
		{records.OperatorOnly, records.Record{Key: key}, ""},
		{records.ReferenceMissing, records.Record{API: api}, ""},
		{records.NameTaken, records.Record{WorkspaceID: "ws_1", API: api}, ""},
	} {
		err := (&records.Outcome{Outcome: records.Conflict, Reason: test.reason}).WorkspaceFault(&test.record)
		if test.says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, test.says)
	}
}
