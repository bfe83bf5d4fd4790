package migrate

import (
	"fmt"

	"github.com/creditd/creditd/api/records"
)

// ended says why a pass must not go on.
const ended = "no longer follows it: records.finishImport ended the migration, or it came there in another way. " +
	"Another pass would set balances instead of moving them by the difference, and delete what went at the source since"

func notTracked(id string) error { return fmt.Errorf("the cluster has %s and %s", id, ended) }

// columnOf names the column that a refusal is about.
func columnOf(table, reason string) string {
	switch reason {
	case records.HashTaken:
		return "hash"
	case records.NameTaken:
		named := map[string]string{"identities": "external_id", "permissions": "slug", "ratelimit_overrides": "identifier"}
		if column := named[table]; column != "" {
			return column
		}
		return "name"
	case records.ChangedHere, records.ChangedThere, records.BelowZero, records.AboveMaximum:
		return "remaining"
	}
	return "id"
}

func (p *Pass) explain(table string, o *records.Outcome) string {
	if p.first && p.Rule == replaceRule && o.Reason == records.Different {
		return "it exists there with other fields, and the cluster follows nothing, so it did not come from here (" + o.Reason + ")"
	}
	if table == "identities" && p.Rule == replaceRule && !p.first && o.Reason == records.NameTaken {
		return "another identity there has its external_id; until a complete pass can give it, this one may be called " + parkedName + " and its id (" + o.Reason + ")"
	}
	texts := map[string]string{
		records.Different:          "it exists there with other fields",
		records.IDTaken:            "something else has the id",
		records.Deleted:            "it was deleted there, and does not come back",
		records.HashTaken:          "another key has the hash",
		records.NameTaken:          "another thing of the workspace has the name",
		records.ReferenceMissing:   "something that it refers to is not there",
		records.QuotaExceeded:      "a quota of the workspace is used up",
		records.LimitExceeded:      "it exceeds a limit of docs/contract.md 1.10",
		records.ChangedHere:        "the cluster made it unlimited, or limited, meanwhile",
		records.ChangedThere:       "the source made it unlimited, or limited, meanwhile",
		records.BelowZero:          "its balance would be below zero",
		records.AboveMaximum:       "its balance would exceed the largest integer",
		records.OperatorOnly:       "only operators may import it",
		records.ImmutableReference: "it cannot move to another parent",
	}
	if text := texts[o.Reason]; text != "" {
		return text + " (" + o.Reason + ")"
	}
	return o.Outcome + " " + o.Reason
}
