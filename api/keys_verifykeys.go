package api

import (
	"strconv"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type verifyKeysRequest struct {
	Verifications []verification `json:"verifications" schema:"required,minItems=1,maxItems=1000"`
	Atomic        bool           `json:"atomic" schema:"default=false" doc:"All items pass, or nothing is debited."`
}

// verification is a verifyKeyRequest with the fields that only an item of a batch has.
type verification struct {
	Key            secretKey             `json:"key" schema:"required"`
	Credits        schema.Optional[cost] `json:"credits"`
	Tags           []string              `json:"tags" schema:"maxItems=20" items:"minLength=1,maxLength=512"`
	Permissions    string                `json:"permissions" schema:"minLength=1,maxLength=1000"`
	Ratelimits     []ratelimitCheck      `json:"ratelimits" schema:"maxItems=50"`
	MigrationID    string                `json:"migrationId" schema:"maxLength=256"`
	IdempotencyKey idempotencyKey        `json:"idempotencyKey"`
	Text           schema.Span
}

type idempotencyKey string

func (idempotencyKey) SchemaTag() string {
	return `schema:"minLength=1,maxLength=255,pattern=^[!-~]+$" doc:"Like the header Idempotency-Key, for this item alone. Not with atomic."`
}

// itemsName replaces the name of the endpoint for items, so that their records differ from those of whole requests.
const itemsName = "keys.verifyKeys verifications"

// plain is the verification as keys.verifyKey has it.
func (v *verification) plain() verifyKeyRequest {
	return verifyKeyRequest{v.Key, v.Credits, v.Tags, v.Permissions, v.Ratelimits, v.MigrationID}
}

// verifyKeys is keys.verifyKeys, docs/contract.md 7.2: one command for any number of keys.
func verifyKeys() *endpoint {
	return write("keys.verifyKeys", about{
		summary: "Verify up to 1000 keys in one step",
		text: "Each item is a body of `keys.verifyKey`, and sees the effects of the items before it. An item that `keys.verifyKey` would have " +
			"refused has an `error` instead, and the others go on. With `atomic` either all items pass, or nothing changes: each item then shows " +
			"the code that it would have had, and the unchanged balance.",
		needs:     []need{forOne(fsm.VerifyKeyPermission).silently()},
		needsNote: "The call requires it for each key. Without it, the code of that key is `NOT_FOUND`.",
		example:   `{"verifications":[{"key":"` + exampleSecret + `","credits":{"cost":5}},{"key":"` + exampleSecret + `"}],"atomic":true}`,
	}, func(c *call, req verifyKeysRequest) (verdicts, error) {
		answer, err := execute[*fsm.Verdicts](c, req.command(c.body))
		if err != nil {
			return verdicts{}, err
		}
		for _, r := range answer.Results {
			if v, ok := r.(*fsm.Verdict); ok {
				c.api.metrics.verified(v.Code)
			}
		}
		return verdicts{answer, req.Atomic}, nil
	})
}

// usualVerdict is more than most verdicts take, in bytes.
const usualVerdict = 1024

var _ bulk = (*verifyKeysRequest)(nil)

func (req *verifyKeysRequest) bulkSize() bulkSize {
	n := int64(len(req.Verifications))
	return bulkSize{items: n, usual: usualVerdict * n, keys: req.keys}
}

// keys are the hashes by which the ledger may find the keys: in a migration, either of two.
func (req *verifyKeysRequest) keys() []fsm.Hash {
	hashes := make([]fsm.Hash, 0, len(req.Verifications))
	for i := range req.Verifications {
		v := &req.Verifications[i]
		hashes = append(hashes, mint.Hash(string(v.Key)))
		if v.MigrationID != "" {
			before, _, _ := mint.Prefixed(string(v.Key))
			hashes = append(hashes, before)
		}
	}
	return hashes
}

func (req *verifyKeysRequest) command(body []byte) *fsm.VerifyKeys {
	command := &fsm.VerifyKeys{Items: make([]fsm.Verification, len(req.Verifications)), Atomic: req.Atomic}
	commands := make([]fsm.VerifyKey, len(req.Verifications)) // at once: most items are no more than this
	for i := range req.Verifications {
		v := &req.Verifications[i]
		command.Items[i].Command = verifyCommand(v.plain(), &commands[i])
		if v.IdempotencyKey != "" {
			command.Items[i].Idempotency = &fsm.Idempotency{
				Key: idempotencyHash(itemsName, string(v.IdempotencyKey)), Fingerprint: shortHash(body[v.Text.From:v.Text.To]),
			}
		}
	}
	return command
}

// verdicts shows the answer. Only that of an atomic request has passed.
type verdicts struct {
	*fsm.Verdicts
	atomic bool
}

// verifyKeysData describes what appendJSON writes.
type verifyKeysData struct {
	Results []verifyKeysItem `json:"results" doc:"In the order of the request."`
	Passed  bool             `json:"passed,omitempty" doc:"Only in the answer to an atomic request. If false, nothing was debited."`
}

type verifyKeysItem struct{}

// Alternatives are the types that an item may have.
func (verifyKeysItem) Alternatives() []any { return []any{verifyKeyData{}, verifyKeysError{}} }

type verifyKeysError struct {
	Error errorOut `json:"error" doc:"The error of keys.verifyKey for this item."`
}

// errorOut describes what problem.appendJSON writes.
type errorOut struct {
	Title  string             `json:"title"`
	Detail string             `json:"detail"`
	Status int                `json:"status"`
	Type   string             `json:"type"`
	Errors []schema.Violation `json:"errors,omitempty"`
}

// Shape is the type that describes what appendJSON writes.
func (verdicts) Shape() any { return verifyKeysData{} }

func (v verdicts) appendJSON(b []byte) []byte {
	b = append(b, `{"results":[`...)
	for i, r := range v.Results {
		if i > 0 {
			b = append(b, ',')
		}
		switch r := r.(type) {
		case *fsm.Verdict:
			b = verdict{r}.appendJSON(b)
		case *fsm.Refusal:
			b = append(b, `{"error":`...)
			b = (*refused)(r).problem().appendJSON(b)
			b = append(b, '}')
		}
	}
	b = append(b, ']')
	if v.atomic {
		b = append(b, `,"passed":`...)
		b = strconv.AppendBool(b, v.Passed)
	}
	return append(b, '}')
}
