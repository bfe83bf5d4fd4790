package main

import "github.com/creditd/creditd/cmd/creditd/internal/settings"

var _ = register(registration{use: "api", short: "look at APIs", long: "APIs are the groups that keys belong to."})

var _ = register(registration{group: "api", use: "list", short: "show the APIs of the workspace",
	long: "Shows the APIs of the root key's workspace, in the order of their ids.",
	make: func() command {
		search := new(string)
		return &list[apiShown]{limit: pageSize, endpoint: "apis.listApis", header: []string{"API", "NAME"},
			row:     func(a apiShown) []string { return []string{a.ID, a.Name} },
			filters: func(s *settings.Set) { bindSearch(s, search, "the id or the name") },
			ask:     func(_ invocation, _ *settings.Set, request map[string]any) { addSearch(request, *search) }}
	}})

type apiShown struct{ ID, Name string }
