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
	Expires     int64    `json:"expires,omitempty"`
	Enabled     bool     `json:"enabled"`
}

// listRootKeys serves rootKeys.listRootKeys, docs/contract.md 7.2.
func listRootKeys(c *call, req listRootKeysRequest) (any, error) {
	found, err := answer[*fsm.RootKeys](c, &fsm.ListRootKeys{Page: pageOf(req.Limit, req.Cursor)})
	if err != nil {
		return nil, err
	}
	return showPage(found.List, found.Next, func(r *fsm.RootKey) rootKeyOut {
		return rootKeyOut{
			KeyID: r.ID, Name: r.Name, WorkspaceID: r.WorkspaceID, Permissions: r.Permissions, CreatedAt: r.CreatedAt,
			Expires: showExpiry(r.Expires), Enabled: r.Enabled,
		}
	}), nil
}
