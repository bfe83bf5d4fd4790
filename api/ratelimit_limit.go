package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

type limitRequest struct {
	Namespace  limitText `json:"namespace" schema:"required"`
	Identifier limitText `json:"identifier" schema:"required"`
	Limit      int64     `json:"limit" schema:"required,minimum=1"`
	Duration   int64     `json:"duration" schema:"required,minimum=1000,maximum=2592000000"`
	Cost       int64     `json:"cost" schema:"minimum=0,default=1"`
}

// limitText is the name or id of a namespace, or an identifier in one.
type limitText string

func (limitText) SchemaTag() string { return `schema:"minLength=1,maxLength=512"` }

type limitData struct {
	Success    bool   `json:"success"`
	Limit      int64  `json:"limit"`
	Remaining  int64  `json:"remaining"`
	Reset      int64  `json:"reset"`
	OverrideID string `json:"overrideId,omitempty"`
}

// limit serves ratelimit.limit, docs/contract.md 2.6.
func limit(c *call, req limitRequest) (any, error) {
	limited, err := c.limit([]limitRequest{req})
	if err != nil {
		return nil, err
	}
	r := limited.Requests[0]
	return limitData{r.Passed, r.Limit, r.Remaining, r.Reset, r.OverrideID}, nil
}

// limit asks the ledger for the tokens of all requests. Ids for new namespaces are sent only if the ledger asks for them: mostly there
// are none, and such a command is shorter and leaves no audit entry.
func (c *call) limit(requests []limitRequest) (*fsm.Limited, error) {
	creating := false
	return executeNew[*fsm.Limited](c, func() fsm.Command {
		command := &fsm.Limit{Requests: make([]fsm.LimitRequest, len(requests))}
		for i, r := range requests {
			command.Requests[i] = fsm.LimitRequest{
				Namespace: string(r.Namespace), Identifier: string(r.Identifier), Limit: r.Limit, Duration: r.Duration, Cost: r.Cost,
			}
			if creating {
				command.Requests[i].NamespaceID = mint.ID(mint.Namespace)
			}
		}
		creating = true
		return command
	})
}
