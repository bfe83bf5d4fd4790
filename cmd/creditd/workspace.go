package main

import (
	"fmt"
	"strconv"
)

var _ = register(registration{use: "workspace", short: "make and show workspaces", long: "Workspaces are the tenants of a cluster."})

var _ = register(registration{group: "workspace", use: "create NAME", short: "make a workspace",
	long: "Makes a workspace: a tenant that sees nothing of the others.",
	make: func() command { return &workspaceCreate{} }})

type workspaceCreate struct{ operator }

func (w *workspaceCreate) run(in invocation) error {
	var made struct {
		WorkspaceID string `json:"workspaceId"`
	}
	if err := w.call("workspaces.createWorkspace", map[string]string{"name": in.args[0]}, &made); err != nil {
		return err
	}
	_, err := fmt.Fprintf(in.stdout, "workspace  %s\n", made.WorkspaceID)
	return err
}

var _ = register(registration{group: "workspace", use: "list", short: "show all workspaces", long: "Shows all workspaces.",
	make: func() command {
		return &list[workspaceShown]{endpoint: "workspaces.listWorkspaces", header: []string{"WORKSPACE", "NAME", "CREATED", "ENABLED"}, row: func(w workspaceShown) []string {
			return []string{w.WorkspaceID, w.Name, moment(w.CreatedAt), strconv.FormatBool(w.Enabled)}
		}}
	}})

type workspaceShown struct {
	WorkspaceID string `json:"workspaceId"`
	Name        string `json:"name"`
	CreatedAt   int64  `json:"createdAt"`
	Enabled     bool   `json:"enabled"`
}
