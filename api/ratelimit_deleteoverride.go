package api

import "github.com/creditd/creditd/fsm"

// deleteOverride is ratelimit.deleteOverride, docs/contract.md 2.6.
func deleteOverride() *endpoint {
	return write("ratelimit.deleteOverride", about{
		summary: "Delete the override of exactly this identifier",
		needs:   []need{forOne(fsm.DeleteOverridePermission)},
		example: `{"namespace":"` + exampleNamespace + `","identifier":"` + exampleExternalID + `"}`,
		refuses: []fsm.RefusalCode{fsm.RatelimitNamespaceNotFound, fsm.RatelimitOverrideNotFound},
	}, func(c *call, req overrideRequest) (none, error) {
		return change(c, &fsm.DeleteOverride{Namespace: string(req.Namespace), Identifier: string(req.Identifier)}, done)
	})
}
