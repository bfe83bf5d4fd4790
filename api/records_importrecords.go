package api

import (
	"fmt"
	"strconv"

	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/fsm"
)

type importRequest records.ImportRequest

// importRecords is records.importRecords, docs/contract.md 7.5 and docs/records.md.
func importRecords() *endpoint {
	e := write("records.importRecords", about{
		summary: "Take over things with their ids and times",
		text: "Each record is decided on its own, in order, and has an outcome. A record that is there already is `unchanged`, so a request may " +
			"be repeated. `onConflict` says what happens to what exists and differs. With `trackBalances` a later record of kind `balance` counts by " +
			"its difference. docs/records.md has the format.",
		needs:     []need{forAll(fsm.ImportPermission)},
		needsNote: "Workspaces, root keys and records of other workspaces also need `cluster.*.operate`.",
		inParts:   true,
		example: `{"records":[{"api":{"id":"` + exampleAPI + `","name":"payments","createdAt":1790000000000}}],` +
			`"onConflict":"skip"}`,
		refuses: []fsm.RefusalCode{fsm.LedgerVersionTooLow},
	}, func(c *call, req importRequest) (records.ImportAnswer, error) {
		for i := range req.Records {
			if err := req.Records[i].Check(); err != nil {
				if authenticated := c.authenticate(); authenticated != nil {
					return records.ImportAnswer{}, authenticated
				}
				return records.ImportAnswer{}, invalid(fmt.Sprintf("records[%d]: %v", i, err))
			}
		}
		return importInParts(c, &req)
	})
	body := e.request
	e.request = func(define func(string, map[string]any) map[string]any) map[string]any { // a record's Key is not a key of another endpoint
		if define == nil {
			return body(nil)
		}
		return body(func(name string, object map[string]any) map[string]any { return define("record"+name, object) })
	}
	return e
}

var _ bulk = (*importRequest)(nil)

// bulkSize implements bulk: an outcome has some words, whatever the ledger holds.
func (req *importRequest) bulkSize() bulkSize { return bulkSize{usual: 96 * int64(len(req.Records))} }

// importInParts executes one command after the other, as keys.migrateKeys does [D-37]. What ends the request before its first command is an
// error. Later, the records that were not reached are interrupted.
func importInParts(c *call, req *importRequest) (records.ImportAnswer, error) {
	answer := records.ImportAnswer{Outcomes: make([]records.Outcome, 0, len(req.Records))}
	replayed, whole := true, c.key.hash.Key
	for at := 0; at < len(req.Records); {
		if at > 0 && c.key.text != "" {
			c.key.hash.Key = shortHash(whole[:], strconv.AppendInt(nil, int64(at), 10)) // a part has a record of its own
		}
		c.replayed = false
		part, err := execute[*fsm.Imported](c, req.part(at))
		if err != nil && (at == 0 || mayHaveExecuted(err)) {
			return answer, err
		}
		if err != nil {
			c.replayed = false
			for ; at < len(req.Records); at++ {
				answer.Outcomes = append(answer.Outcomes, records.Outcome{Index: int64(at), Outcome: records.Interrupted})
			}
			return answer, nil
		}
		for _, o := range part.Outcomes {
			answer.Outcomes = append(answer.Outcomes, records.Outcome{
				Index: int64(len(answer.Outcomes)), Outcome: importStatuses[o.Status], Reason: importReasons[o.Reason], Shortfall: o.Shortfall,
			})
		}
		replayed = replayed && c.replayed
		at += len(part.Outcomes)
	}
	c.replayed = replayed
	return answer, nil
}

// part is the next command: as many records as one command may have.
func (req *importRequest) part(at int) *fsm.ImportRecords {
	command := &fsm.ImportRecords{OnConflict: conflictRules[req.OnConflict], Track: req.TrackBalances, ReadAt: int64(req.ReadAt)}
	work := fsm.Work(0)
	for i := range req.Records[at:] {
		item := imported(&req.Records[at+i])
		if work += item.Work(); work > partWork && i > 0 {
			break
		}
		command.Items = append(command.Items, item)
	}
	return command
}

var (
	conflictRules = map[string]fsm.ConflictRule{"fail": fsm.FailOnConflict, "skip": fsm.SkipOnConflict, "replace": fsm.ReplaceOnConflict}

	importStatuses = [...]string{
		fsm.ImportCreated: records.Created, fsm.ImportUnchanged: records.Unchanged, fsm.ImportReplaced: records.Replaced,
		fsm.ImportSkipped: records.Skipped, fsm.ImportConflict: records.Conflict, fsm.ImportInvalid: records.Invalid,
	}
	importReasons = [...]string{
		0: "", fsm.ImportDifferent: records.Different, fsm.ImportIDTaken: records.IDTaken, fsm.ImportDeleted: records.Deleted,
		fsm.ImportHashTaken: records.HashTaken, fsm.ImportNameTaken: records.NameTaken, fsm.ImportNotFound: records.ReferenceMissing,
		fsm.ImportOverQuota: records.QuotaExceeded, fsm.ImportOverLimit: records.LimitExceeded, fsm.ImportNotTracked: records.NotTracked,
		fsm.ImportChangedHere: records.ChangedHere, fsm.ImportChangedThere: records.ChangedThere, fsm.ImportBelowZero: records.BelowZero,
		fsm.ImportAboveMaximum: records.AboveMaximum, fsm.ImportOperatorOnly: records.OperatorOnly, fsm.ImportImmutable: records.ImmutableReference,
	}
)
