package api

import "github.com/creditd/creditd/fsm"

type listOverridesRequest struct {
	Namespace limitText  `json:"namespace" schema:"required"`
	Cursor    pageCursor `json:"cursor"`
	Limit     int64      `json:"limit" schema:"minimum=1,maximum=100,default=50"`
}

// listOverrides serves ratelimit.listOverrides, docs/contract.md 1.14 and 2.6.
func listOverrides(c *call, req listOverridesRequest) (any, error) {
	found, err := answer[*fsm.Overrides](c, &fsm.ListOverrides{
		Namespace: string(req.Namespace), Cursor: string(req.Cursor), Limit: req.Limit,
	})
	if err != nil {
		return nil, err
	}
	return showPage(found.List, found.Next, showOverride), nil
}
