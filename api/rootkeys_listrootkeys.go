package api

import "github.com/creditd/creditd/fsm"

type listRootKeysRequest struct {
	Limit  pageLimit  `json:"limit"`
	Cursor pageCursor `json:"cursor"`
}

type rootKeyOut struct {
	KeyID       string   `json:"keyId"`
	Name        string   `json:"name,omitempty"`
	WorkspaceID string   `json:"workspaceId"`
	Permissions []string `json:"permissions,omitempty"`
	CreatedAt   int64    `json:"createdAt"`
	Expires     *int64   `json:"expires,omitempty"`
	Enabled     bool     `json:"enabled"`
}

// listRootKeys is rootKeys.listRootKeys, docs/contract.md 7.2.
func listRootKeys() *endpoint {
	return read("rootKeys.listRootKeys", about{
		summary: "List the root keys of all workspaces, in the order of their ids",
		text:    nextPage + " The answer shows no part of the keys themselves.",
		needs:   []need{forAll(fsm.OperateClusterPermission)},
		example: `{"limit":20}`,
	}, func(c *call, req listRootKeysRequest) (page[rootKeyOut], error) {
		return ask(c, &fsm.ListRootKeys{Page: wantedPage(req.Limit, req.Cursor)}, func(found *fsm.RootKeys) page[rootKeyOut] {
			return pageOf(found.List, found.Next, showRootKey)
		})
	})
}

func showRootKey(r *fsm.RootKey) rootKeyOut {
	return rootKeyOut{
		KeyID: r.ID, Name: r.Name, WorkspaceID: r.WorkspaceID, Permissions: r.Permissions, CreatedAt: r.CreatedAt,
		Expires: showExpiry(r.Expires), Enabled: r.Enabled,
	}
}
