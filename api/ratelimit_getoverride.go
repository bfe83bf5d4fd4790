package api

import "github.com/creditd/creditd/fsm"

type overrideRequest struct {
	Namespace  limitText `json:"namespace" schema:"required"`
	Identifier limitText `json:"identifier" schema:"required"`
}

type overrideOut struct {
	OverrideID string `json:"overrideId"`
	Identifier string `json:"identifier"`
	Limit      int64  `json:"limit"`
	Duration   int64  `json:"duration"`
}

// getOverride serves ratelimit.getOverride, docs/contract.md 2.6.
func getOverride(c *call, req overrideRequest) (any, error) {
	found, err := answer[*fsm.Override](c, &fsm.GetOverride{Namespace: string(req.Namespace), Identifier: string(req.Identifier)})
	if err != nil {
		return nil, err
	}
	return showOverride(found), nil
}

func showOverride(o *fsm.Override) overrideOut {
	return overrideOut{OverrideID: o.ID, Identifier: o.Identifier, Limit: o.Limit, Duration: o.Duration}
}
