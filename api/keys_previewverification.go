package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

// previewVerificationRequest is a verifyKeyRequest whose key may be named by its hash.
type previewVerificationRequest struct {
	Key         secretKey             `json:"key"`
	KeyHash     string                `json:"keyHash" schema:"minLength=1,maxLength=64" doc:"Instead of key: the SHA-256 of the full key in standard base64, or of the part that a prefixed key was migrated by in hexadecimal."`
	Credits     schema.Optional[cost] `json:"credits"`
	Tags        []string              `json:"tags" schema:"maxItems=20" items:"minLength=1,maxLength=512"`
	Permissions string                `json:"permissions" schema:"minLength=1,maxLength=1000"`
	Ratelimits  []ratelimitCheck      `json:"ratelimits" schema:"maxItems=50"`
	MigrationID string                `json:"migrationId" schema:"maxLength=256"`
}

// previewVerification is keys.previewVerification, docs/contract.md 7.2. It is an endpoint of its own: a client that drops a field which it does
// not know would turn a flag of keys.verifyKey into a debit.
func previewVerification() *endpoint {
	return read("keys.previewVerification", about{
		summary: "Ask what a verification would be answered, without a debit",
		text: "Takes the body of `keys.verifyKey`, and answers what that would answer now, with the balances that would pay in `payers`. Nothing " +
			"changes: no balance, no rate limit, no `lastUsedAt`, no log entry. `keyHash` names the key by its hash instead.",
		needs:     []need{forOne(fsm.VerifyKeyPermission).silently(), forAll(fsm.VerifyKeyHashPermission).when("to name the key by `keyHash`")},
		needsNote: "Without the first one, the code is `NOT_FOUND`. Without the second one, `keyHash` is a 403.",
		example:   `{"key":"` + exampleSecret + `","credits":{"cost":5}}`,
		refuses:   []fsm.RefusalCode{fsm.QuerySyntax, fsm.PreconditionFailed, fsm.KeyMalformed},
	}, func(c *call, req previewVerificationRequest) (preview, error) {
		q, err := req.query()
		if err != nil {
			if failed := c.authenticate(); failed != nil {
				err = failed
			}
			return preview{}, err
		}
		p, err := answer[*fsm.Preview](c, q)
		return preview{p}, err
	})
}

func (req *previewVerificationRequest) query() (*fsm.PreviewVerification, error) {
	switch {
	case (req.Key == "") == (req.KeyHash == ""):
		return nil, invalid("Exactly one of key and keyHash must be given")
	case req.Key != "":
		plain := verifyKeyRequest{req.Key, req.Credits, req.Tags, req.Permissions, req.Ratelimits, req.MigrationID}
		return &fsm.PreviewVerification{Verification: verifyCommand(plain, new(fsm.VerifyKey))}, nil
	case req.MigrationID != "":
		return nil, invalid("migrationId needs key: a keyHash finds a migrated key without it")
	}
	algorithm, hash := mint.ParseHash(req.KeyHash)
	if algorithm == 0 {
		return nil, invalid("keyHash must be a SHA-256 in standard base64 or in hexadecimal")
	}
	return &fsm.PreviewVerification{ByHash: true, Verification: &fsm.VerifyKey{
		Hash: hash, Cost: req.Credits.Or(cost{1}).Cost, Query: req.Permissions, Ratelimits: ratelimitChecks(req.Ratelimits),
	}}, nil
}

// preview shows a verdict and who would pay.
type preview struct{ *fsm.Preview }

// previewData describes what appendJSON writes: a verdict with one field more.
type previewData struct {
	verifyKeyData
	Payers []payerOut `json:"payers,omitempty" doc:"The balances that would pay, as they are now. Left out when nothing limits the key."`
}

type payerOut struct {
	Type    string      `json:"type" doc:"identity or key."`
	ID      string      `json:"id"`
	Credits *creditsOut `json:"credits"`
}

func showPayer(p *fsm.Payer) payerOut {
	shown := payerOut{Type: "key", ID: p.ID, Credits: showCredits(&p.Credits)}
	if p.Identity {
		shown.Type = "identity"
	}
	return shown
}

// Shape is the type that describes what appendJSON writes.
func (preview) Shape() any { return previewData{} }

func (p preview) appendJSON(b []byte) []byte {
	b = verdict{&p.Verdict}.appendJSON(b)
	if len(p.Payers) == 0 {
		return b
	}
	b = append(b[:len(b)-1], `,"payers":`...)
	return append(appendData(b, showList(p.Payers, showPayer)), '}')
}
