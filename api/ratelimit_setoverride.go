package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

type setOverrideRequest struct {
	Namespace  limitText `json:"namespace" schema:"required"`
	Identifier limitText `json:"identifier" schema:"required"`
	Limit      int64     `json:"limit" schema:"required,minimum=0"`
	Duration   int64     `json:"duration" schema:"required,minimum=1000"`
}

type setOverrideData struct {
	OverrideID string `json:"overrideId"`
}

// setOverride serves ratelimit.setOverride, docs/contract.md 2.6.
func setOverride(c *call, req setOverrideRequest) (any, error) {
	created, err := executeNew[*fsm.Created](c, func() fsm.Command {
		return &fsm.SetOverride{
			ID: mint.ID(mint.Override), Namespace: string(req.Namespace), Identifier: string(req.Identifier),
			Limit: req.Limit, Duration: req.Duration,
		}
	})
	if err != nil {
		return nil, err
	}
	return setOverrideData{created.ID}, nil
}
