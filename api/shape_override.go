package api

import "github.com/creditd/creditd/fsm"

// ratelimitText is the name or id of a namespace, or an identifier in one.
type ratelimitText string

func (ratelimitText) SchemaTag() string { return `schema:"minLength=1,maxLength=512"` }

type overrideRequest struct {
	Namespace  ratelimitText `json:"namespace" schema:"required"`
	Identifier ratelimitText `json:"identifier" schema:"required"`
}

type overrideOut struct {
	OverrideID string `json:"overrideId"`
	Identifier string `json:"identifier"`
	Limit      int64  `json:"limit"`
	Duration   int64  `json:"duration"`
}

func showOverride(o *fsm.Override) overrideOut {
	return overrideOut{OverrideID: o.ID, Identifier: o.Identifier, Limit: o.Limit, Duration: o.Duration}
}
