package fsm_test

import "github.com/creditd/creditd/fsm"

// limitOperations are the rows of contract 1.13 on rate limits.
func limitOperations() []operation {
	const identifier = "u"
	limit := &fsm.ConsumeRatelimits{Requests: []fsm.RatelimitRequest{
		{Namespace: "email", NamespaceID: "rlns_new", Identifier: identifier, Limit: 1, Duration: 1000, Cost: 1},
	}}
	either := func(action string) []string { return []string{"ratelimit.*." + action, "ratelimit.rlns_1." + action} }
	return []operation{
		{name: "limit", command: limit, needs: either("limit")},
		{
			name:    "setOverride",
			command: &fsm.SetOverride{ID: "rlor_new", Namespace: "email", Identifier: "new", Duration: 1000},
			needs:   either("set_override"), lost: fsm.RatelimitNamespaceNotFound, first: lookupFirst,
			unknown: operand{command: &fsm.SetOverride{ID: "rlor_new", Namespace: "none", Identifier: "new", Duration: 1000}},
		},
		{
			name: "getOverride", query: &fsm.GetOverride{Namespace: "rlns_1", Identifier: identifier}, needs: either("read_override"),
			hidden: fsm.RatelimitOverrideNotFound, lost: fsm.RatelimitNamespaceNotFound, first: lookupFirst,
			unknown: operand{query: &fsm.GetOverride{Namespace: "none", Identifier: identifier}},
		},
		{
			name: "listOverrides", query: &fsm.ListOverrides{Namespace: "email", Limit: 5}, needs: either("read_override"),
			unknown: operand{query: &fsm.ListOverrides{Namespace: "none", Limit: 5}},
			lost:    fsm.RatelimitNamespaceNotFound, first: lookupFirst,
		},
		{
			name: "deleteOverride", command: &fsm.DeleteOverride{Namespace: "email", Identifier: identifier},
			needs: either("delete_override"), lost: fsm.RatelimitNamespaceNotFound, first: lookupFirst,
			unknown: operand{command: &fsm.DeleteOverride{Namespace: "none", Identifier: identifier}},
		},
	}
}
