package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// listed is one item of any of the lists below; what a list does not have stays empty.
type listed struct {
	KeyID       string   `json:"keyId,omitempty"`
	WorkspaceID string   `json:"workspaceId"`
	Name        string   `json:"name,omitempty"`
	Permissions []string `json:"permissions,omitempty"`
	CreatedAt   int64    `json:"createdAt"`
	Expires     int64    `json:"expires,omitempty"`
	Enabled     bool     `json:"enabled"`
}

// list reads a list to its end, page by page.
func (c *client) list(ctx context.Context, endpoint string) ([]listed, error) {
	all := []listed{}
	request := map[string]any{"limit": 100}
	for {
		var page []listed
		next, err := c.callPage(ctx, endpoint, request, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if next == "" {
			return all, nil
		}
		request["cursor"] = next
	}
}

// callPage is call for an endpoint that lists; next is where the following page begins, empty after the last one.
func (c *client) callPage(ctx context.Context, endpoint string, request, result any) (next string, err error) {
	err = c.exchange(ctx, endpoint, request, result, &next)
	return next, err
}

// runList is a command that shows a list.
func runList(in invocation, name, synopsis, about, endpoint, header string, row func(listed) string) int {
	s := &clientSettings{}
	s.synopsis, s.about = synopsis, about
	s.declareClient()
	s.declareOutput()
	helped, err := s.read(in, 0)
	if helped || err != nil {
		return finish(in, name, err)
	}
	c, err := s.client()
	if err != nil {
		return finish(in, name, err)
	}
	items, err := c.list(context.Background(), endpoint)
	if err != nil {
		return finish(in, name, err)
	}
	if s.output == "json" {
		return finish(in, name, printJSON(in.stdout, items))
	}
	columns := tabwriter.NewWriter(in.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, header)
	for _, item := range items {
		fmt.Fprintln(columns, row(item))
	}
	return finish(in, name, columns.Flush())
}

func rootkeyListCommand(in invocation) int {
	return runList(in, "creditd rootkey list", "rootkey list [flags]", "Shows the root keys of all workspaces; never the keys themselves.",
		"rootKeys.listRootKeys", "KEY ID\tWORKSPACE\tNAME\tEXPIRES\tPERMISSIONS", func(r listed) string {
			return fmt.Sprintf("%s\t%s\t%s\t%s\t%s", r.KeyID, r.WorkspaceID, cmp.Or(r.Name, "-"), day(r.Expires), strings.Join(r.Permissions, " "))
		})
}

func workspaceListCommand(in invocation) int {
	return runList(in, "creditd workspace list", "workspace list [flags]", "Shows all workspaces.",
		"workspaces.listWorkspaces", "WORKSPACE\tNAME\tCREATED\tENABLED", func(w listed) string {
			return fmt.Sprintf("%s\t%s\t%s\t%t", w.WorkspaceID, cmp.Or(w.Name, "-"), day(w.CreatedAt), w.Enabled)
		})
}

func day(at int64) string {
	if at == 0 {
		return "never"
	}
	return time.UnixMilli(at).UTC().Format(time.DateTime)
}

func rootkeyRevokeCommand(in invocation) int {
	return runOn(in, "creditd rootkey revoke", "rootkey revoke KEYID [flags]",
		"Ends a root key for good, on all nodes at once. A root key cannot revoke itself.", "KEYID",
		func(c *client, id string) (string, error) {
			return "revoked  " + id, c.call(context.Background(), "rootKeys.revokeRootKey", map[string]string{"keyId": id}, nil)
		})
}

func workspaceCreateCommand(in invocation) int {
	return runOn(in, "creditd workspace create", "workspace create NAME [flags]",
		"Makes a workspace: a tenant that sees nothing of the others.", "NAME",
		func(c *client, text string) (string, error) {
			var made struct {
				WorkspaceID string `json:"workspaceId"`
			}
			err := c.call(context.Background(), "workspaces.createWorkspace", map[string]string{"name": text}, &made)
			return "workspace  " + made.WorkspaceID, err
		})
}

// runOn is a command with one argument and one line of output.
func runOn(in invocation, name, synopsis, about, argument string, do func(c *client, argument string) (string, error)) int {
	s := &clientSettings{}
	s.synopsis, s.about = synopsis, about
	s.declareClient()
	helped, err := s.read(in, 1)
	if helped || err != nil {
		return finish(in, name, err)
	}
	c, err := s.client()
	if err != nil {
		return finish(in, name, err)
	}
	if len(s.rest) == 0 {
		return finish(in, name, wrongUsage("the argument %s is missing", argument))
	}
	line, err := do(c, s.rest[0])
	if err == nil {
		fmt.Fprintln(in.stdout, line)
	}
	return finish(in, name, err)
}

func workspaceCommand(in invocation) int {
	return subcommands("creditd workspace", "Workspaces are the tenants of a cluster.", []command{
		{"create", "make a workspace", workspaceCreateCommand},
		{"list", "show all workspaces", workspaceListCommand},
	}, in)
}
