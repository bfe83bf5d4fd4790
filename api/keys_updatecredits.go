package api

import (
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type updateKeyCreditsRequest struct {
	KeyID     string                 `json:"keyId" schema:"required,minLength=3"`
	Operation string                 `json:"operation" schema:"required,enum=set|increment|decrement"`
	Value     schema.Nullable[int64] `json:"value" schema:"minimum=0"`
}

// updateKeyCredits is keys.updateCredits, docs/contract.md 2.3 and 4.4.
func updateKeyCredits() *endpoint {
	return write("keys.updateCredits", about{
		summary: "Set, raise or lower the balance of a key",
		text: "`set` without a value, or with null, makes the key unlimited. A decrement stops at 0. An increment or decrement of an unlimited " +
			"key is a 400.",
		needs:   []need{forOne(fsm.UpdateKeyPermission)},
		example: `{"keyId":"` + exampleKey + `","operation":"increment","value":100}`,
		refuses: []fsm.RefusalCode{fsm.KeyNotFound},
	}, func(c *call, req updateKeyCreditsRequest) (*creditsOut, error) {
		return change(c, &fsm.UpdateKeyCredits{KeyID: req.KeyID, Change: balanceUpdate(req.Operation, req.Value)}, showCredits)
	})
}
