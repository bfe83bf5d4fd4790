package api

import "github.com/creditd/creditd/fsm"

type listOverridesRequest struct {
	Namespace ratelimitText `json:"namespace" schema:"required"`
	Cursor    pageCursor    `json:"cursor"`
	Limit     int64         `json:"limit" schema:"minimum=1,maximum=100,default=50"`
}

// listOverrides is ratelimit.listOverrides, docs/contract.md 1.14 and 2.6.
func listOverrides() *endpoint {
	return read("ratelimit.listOverrides", about{
		summary: "List the overrides of a namespace, in the order of their ids",
		text:    nextPage,
		needs:   []need{forOne(fsm.ReadOverridePermission)},
		example: `{"namespace":"` + exampleNamespace + `","limit":20}`,
		refuses: []fsm.RefusalCode{fsm.RatelimitNamespaceNotFound},
	}, func(c *call, req listOverridesRequest) (page[overrideOut], error) {
		return ask(c, &fsm.ListOverrides{
			Namespace: string(req.Namespace), Cursor: string(req.Cursor), Limit: req.Limit,
		}, func(found *fsm.Overrides) page[overrideOut] { return pageOf(found.List, found.Next, showOverride) })
	})
}
