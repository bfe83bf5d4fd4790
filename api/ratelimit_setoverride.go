package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

type setOverrideRequest struct {
	Namespace  ratelimitText `json:"namespace" schema:"required"`
	Identifier ratelimitText `json:"identifier" schema:"required,pattern=^[^*]*([*][^*]*){0,5}$"`
	Limit      int64         `json:"limit" schema:"required,minimum=0"`
	Duration   int64         `json:"duration" schema:"required,minimum=1000,maximum=31622400000"`
}

type setOverrideData struct {
	OverrideID string `json:"overrideId"`
}

// setOverride is ratelimit.setOverride, docs/contract.md 2.6.
func setOverride() *endpoint {
	return write("ratelimit.setOverride", about{
		summary: "Replace the limit and duration of requests for an identifier",
		text: "Each `*` in the identifier matches any text; there are at most 5, and a namespace has at most 100 such overrides. An identifier that has an override keeps the id of its override. A limit of 0 " +
			"always denies.",
		needs:   []need{forOne(fsm.SetOverridePermission)},
		example: `{"namespace":"` + exampleNamespace + `","identifier":"` + exampleExternalID + `","limit":100,"duration":60000}`,
		refuses: []fsm.RefusalCode{fsm.RatelimitNamespaceNotFound},
	}, func(c *call, req setOverrideRequest) (setOverrideData, error) {
		return create(c, func() fsm.Command {
			return &fsm.SetOverride{
				ID: mint.ID(mint.Override), Namespace: string(req.Namespace), Identifier: string(req.Identifier),
				Limit: req.Limit, Duration: req.Duration,
			}
		}, func(created *fsm.Created) setOverrideData { return setOverrideData{created.ID} })
	})
}
