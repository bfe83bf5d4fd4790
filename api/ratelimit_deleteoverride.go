package api

import "github.com/creditd/creditd/fsm"

// deleteOverride serves ratelimit.deleteOverride, docs/contract.md 2.6.
func deleteOverride(c *call, req overrideRequest) (any, error) {
	_, err := execute[*fsm.Done](c, &fsm.DeleteOverride{Namespace: string(req.Namespace), Identifier: string(req.Identifier)})
	return none{}, err
}
