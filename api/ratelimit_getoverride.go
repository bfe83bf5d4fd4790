package api

import "github.com/creditd/creditd/fsm"

// getOverride is ratelimit.getOverride, docs/contract.md 2.6.
func getOverride() *endpoint {
	return read("ratelimit.getOverride", about{
		summary:   "Show the override that applies to an identifier",
		text:      "The override of exactly the identifier applies first, then the longest pattern that matches.",
		needs:     []need{forOne(fsm.ReadOverridePermission).silently()},
		needsNote: "Without it, the override is not found.",
		example:   `{"namespace":"` + exampleNamespace + `","identifier":"` + exampleExternalID + `"}`,
		refuses:   []fsm.RefusalCode{fsm.RatelimitNamespaceNotFound, fsm.RatelimitOverrideNotFound},
	}, func(c *call, req overrideRequest) (overrideOut, error) {
		return ask(c, &fsm.GetOverride{Namespace: string(req.Namespace), Identifier: string(req.Identifier)}, showOverride)
	})
}
