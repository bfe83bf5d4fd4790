package api

import "github.com/creditd/creditd/fsm"

type multiLimitRequest []limitRequest

func (multiLimitRequest) SchemaTag() string { return `schema:"minItems=1,maxItems=100"` }

type multiLimitData struct {
	Passed bool              `json:"passed"`
	Limits []multiLimitEntry `json:"limits"`
}

type multiLimitEntry struct {
	Namespace  ratelimitText `json:"namespace"`
	Identifier ratelimitText `json:"identifier"`
	Limit      int64         `json:"limit"`
	Remaining  int64         `json:"remaining"`
	Reset      int64         `json:"reset"`
	Passed     bool          `json:"passed"`
	OverrideID string        `json:"overrideId,omitempty"`
}

// ratelimitMultiLimit is ratelimit.multiLimit, docs/contract.md 2.6.
func ratelimitMultiLimit() *endpoint {
	return write("ratelimit.multiLimit", about{
		summary: "Take tokens of several rate limits, or of none",
		text: "The body is an array of 1 to 100 requests, and `limits` of the answer is in their order. Namespaces that do not exist are " +
			"created.",
		needs:     []need{forOne(fsm.LimitPermission), forAll(fsm.CreateNamespacePermission).when("to create a namespace")},
		needsNote: "The call requires them for every namespace.",
		example: `[{"namespace":"` + exampleNamespace + `","identifier":"` + exampleExternalID + `","limit":10,"duration":60000},` +
			`{"namespace":"` + exampleNamespace + `","identifier":"everybody","limit":1000,"duration":60000,"cost":2}]`,
		refuses: []fsm.RefusalCode{fsm.RatelimitNamespaceGone},
	}, func(c *call, req multiLimitRequest) (multiLimitData, error) {
		return takeTokens(c, req, func(limited *fsm.RatelimitResults) multiLimitData {
			data := multiLimitData{Passed: limited.Passed, Limits: make([]multiLimitEntry, len(req))}
			for i, r := range limited.Requests {
				data.Limits[i] = multiLimitEntry{
					req[i].Namespace, req[i].Identifier, r.Limit, r.Remaining, r.Reset, r.Passed, r.OverrideID,
				}
			}
			return data
		})
	})
}
