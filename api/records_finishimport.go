package api

import (
	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/fsm"
)

// endedMarks is how many balances one finishImport ends: about 2 ms.
const endedMarks = 500

type finishImportRequest struct{}

// finishImport is records.finishImport, docs/contract.md 7.5.
func finishImport() *endpoint {
	return write("records.finishImport", about{
		summary: "End the tracking of imported balances",
		text:    "One request ends the tracking of up to 500 keys, identities and APIs of the workspace. Repeat it until `more` is false.",
		needs:   []need{forAll(fsm.ImportPermission)},
		example: `{}`,
		refuses: []fsm.RefusalCode{fsm.LedgerVersionTooLow},
	}, func(c *call, _ finishImportRequest) (records.FinishAnswer, error) {
		return change(c, &fsm.FinishImport{Most: endedMarks}, func(r *fsm.ImportFinished) records.FinishAnswer {
			return records.FinishAnswer{Ended: r.Ended, More: r.More}
		})
	})
}
