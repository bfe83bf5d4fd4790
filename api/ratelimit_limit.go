package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

type limitRequest struct {
	Namespace  ratelimitText `json:"namespace" schema:"required"`
	Identifier ratelimitText `json:"identifier" schema:"required"`
	Limit      int64         `json:"limit" schema:"required,minimum=1"`
	Duration   int64         `json:"duration" schema:"required,minimum=1000,maximum=2592000000"`
	Cost       int64         `json:"cost" schema:"minimum=0,default=1"`
}

type limitData struct {
	Success    bool   `json:"success"`
	Limit      int64  `json:"limit"`
	Remaining  int64  `json:"remaining"`
	Reset      int64  `json:"reset"`
	OverrideID string `json:"overrideId,omitempty"`
}

// ratelimitLimit is ratelimit.limit, docs/contract.md 2.6.
func ratelimitLimit() *endpoint {
	return write("ratelimit.limit", about{
		summary: "Take tokens of a rate limit",
		text: "A request over the limit is an answer, not an error: 200 with `success` false, and no tokens taken. A `cost` of 0 checks and takes " +
			"nothing. A namespace that does not exist is created.",
		needs:   []need{forOne(fsm.LimitPermission), forAll(fsm.CreateNamespacePermission).when("to create the namespace")},
		example: `{"namespace":"` + exampleNamespace + `","identifier":"` + exampleExternalID + `","limit":10,"duration":60000}`,
		refuses: []fsm.RefusalCode{fsm.RatelimitNamespaceGone},
	}, func(c *call, req limitRequest) (limitData, error) {
		return takeTokens(c, []limitRequest{req}, func(limited *fsm.RatelimitResults) limitData {
			r := limited.Requests[0]
			return limitData{r.Passed, r.Limit, r.Remaining, r.Reset, r.OverrideID}
		})
	})
}

// takeTokens asks the ledger for the tokens of all requests. It sends ids for new namespaces only if the ledger asks for them. Most
// requests create none, and such a command is shorter and leaves no audit entry.
func takeTokens[Answer any](c *call, requests []limitRequest, show func(*fsm.RatelimitResults) Answer) (Answer, error) {
	creating := false
	return create(c, func() fsm.Command {
		command := &fsm.ConsumeRatelimits{Requests: make([]fsm.RatelimitRequest, len(requests))}
		for i, r := range requests {
			command.Requests[i] = fsm.RatelimitRequest{
				Namespace: string(r.Namespace), Identifier: string(r.Identifier), Limit: r.Limit, Duration: r.Duration, Cost: r.Cost,
			}
			if creating {
				command.Requests[i].NamespaceID = mint.ID(mint.Namespace)
			}
		}
		creating = true
		return command
	}, show)
}
