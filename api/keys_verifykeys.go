package api

import (
	"strconv"

	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type verifyKeysRequest struct {
	Verifications []verification `json:"verifications" schema:"required,minItems=1,maxItems=1000"`
	Atomic        bool           `json:"atomic" schema:"default=false" doc:"All pass, or nothing is charged."`
}

// verification is a verifyKeyRequest and what only an item of several can say.
type verification struct {
	Key            secretKey             `json:"key" schema:"required"`
	Credits        schema.Optional[cost] `json:"credits"`
	Tags           []string              `json:"tags" schema:"maxItems=20" items:"minLength=1,maxLength=512"`
	Permissions    string                `json:"permissions" schema:"minLength=1,maxLength=1000"`
	Ratelimits     []ratelimitCheck      `json:"ratelimits"`
	MigrationID    string                `json:"migrationId" schema:"maxLength=256"`
	IdempotencyKey idempotencyKey        `json:"idempotencyKey"`
	Text           schema.Span
}

type idempotencyKey string

func (idempotencyKey) SchemaTag() string {
	return `schema:"minLength=1,maxLength=255,pattern=^[!-~]+$" doc:"As the header Idempotency-Key, for this item alone. Not with atomic."`
}

// itemsName stands for the endpoint in the names of items: they never meet that of a whole request.
const itemsName = "keys.verifyKeys verifications"

// plain is the verification as keys.verifyKey has it.
func (v *verification) plain() verifyKeyRequest {
	return verifyKeyRequest{v.Key, v.Credits, v.Tags, v.Permissions, v.Ratelimits, v.MigrationID}
}

// verifyKeys serves keys.verifyKeys, docs/contract.md 7.2: one command, however many keys.
func verifyKeys(c *call, req verifyKeysRequest) (any, error) {
	command := &fsm.VerifyKeys{Items: make([]fsm.Verification, len(req.Verifications)), Atomic: req.Atomic}
	commands := make([]fsm.VerifyKey, len(req.Verifications)) // at once: most items are no more than this
	for i := range req.Verifications {
		v := &req.Verifications[i]
		command.Items[i].Command = verifyCommand(v.plain(), &commands[i])
		if v.IdempotencyKey != "" {
			command.Items[i].Once = &fsm.Idempotency{
				Name: nameOf(itemsName, string(v.IdempotencyKey)), Request: shortHash(c.body[v.Text.From:v.Text.To]),
			}
		}
	}
	answer, err := execute[*fsm.Verdicts](c, command)
	if err != nil {
		return nil, err
	}
	for _, r := range answer.Results {
		if v, ok := r.(*fsm.Verdict); ok {
			c.api.metrics.verified(v.Outcome)
		}
	}
	return verdicts{answer, req.Atomic}, nil
}

// verdicts shows the answer; passed only where it says something.
type verdicts struct {
	*fsm.Verdicts
	atomic bool
}

// verifyKeysData describes what appendJSON writes.
type verifyKeysData struct {
	Results []verifyKeysItem `json:"results" doc:"In the order of the request."`
	Passed  bool             `json:"passed,omitempty" doc:"Of an atomic request: all passed. If not, nothing was charged."`
}

type verifyKeysItem struct{}

// Alternatives tells the OpenAPI document what an item may be.
func (verifyKeysItem) Alternatives() []any { return []any{verifyKeyData{}, verifyKeysError{}} }

type verifyKeysError struct {
	Error errorOut `json:"error" doc:"What the verification alone would have been refused with."`
}

// errorOut describes what problem.appendJSON writes.
type errorOut struct {
	Title  string             `json:"title"`
	Detail string             `json:"detail"`
	Status int                `json:"status"`
	Type   string             `json:"type"`
	Errors []schema.Violation `json:"errors,omitempty"`
}

// Shape tells the OpenAPI document what stands in for a type that encodes itself.
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
