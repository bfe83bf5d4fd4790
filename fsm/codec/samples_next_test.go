//go:build nextversion

package codec_test

import "github.com/creditd/creditd/fsm"

func init() {
	buildTags = []string{"nextversion"}
	commandSamplesNext = []fsm.Command{&fsm.AnnotateKey{KeyID: "key_1", Text: "größer ✓"}}
	verdict := &fsm.Verdict{Code: fsm.Valid, KeyID: "key_1", Expires: fsm.Never}
	verdict.Debits = 300
	resultSamplesNext = []fsm.Result{
		&fsm.Annotated{Notes: 300}, verdict,
		&fsm.Verdicts{Results: []fsm.Result{&fsm.Verdict{Code: fsm.NotFound}, verdict, &fsm.Refusal{Code: fsm.KeyMalformed}}},
		&fsm.IdempotentReplay{Result: &fsm.Annotated{Notes: 1}, Index: 5}, &fsm.IdempotentReplay{Result: verdict, Index: 6},
	}
	credit := &fsm.CreditRecord{Owner: "key_1", Remaining: 4}
	credit.Debits = 7
	workspace := &fsm.WorkspaceRecord{ID: "ws_1", Name: "n", Enabled: true}
	workspace.Notes = 2
	recordSamplesNext = []fsm.Record{
		&fsm.MetaRecord{ClusterID: "cl_1", LedgerVersion: fsm.NewestLedgerVersion, RaisedBy: "v1.3.0"}, workspace, credit,
		&fsm.NoteRecord{WorkspaceID: "ws_1", KeyID: "key_1", Text: "t", At: 5},
		&fsm.SessionRecord{ID: 7, Node: "node_1", LastSeen: 5, Base: 3, Results: []fsm.SessionResult{
			{Seq: 3, Index: 9, Result: &fsm.Done{}}, {Seq: 4, Index: 9, Result: verdict}, {Seq: 5, Index: 11, Result: &fsm.Annotated{Notes: 5}},
		}},
		&fsm.IdempotencyRecord{WorkspaceID: "ws_1", At: 1, Index: 300, Result: verdict},
	}
}
