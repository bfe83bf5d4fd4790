package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// listed is one item of any list; what a list does not have stays empty.
type listed struct {
	KeyID       string   `json:"keyId,omitempty"`
	WorkspaceID string   `json:"workspaceId"`
	Name        string   `json:"name,omitempty"`
	Permissions []string `json:"permissions,omitempty"`
	CreatedAt   int64    `json:"createdAt"`
	Expires     *int64   `json:"expires,omitempty"`
	Enabled     bool     `json:"enabled"`
}

// list is a command that shows a list.
type list struct {
	reporter
	endpoint, header string
	row              func(listed) []string
}

func (l *list) run(in invocation) error {
	items, request := []listed{}, map[string]any{"limit": 100}
	for {
		var page []listed
		next, err := l.page(l.endpoint, request, &page)
		if err != nil {
			return err
		}
		items = append(items, page...)
		if next == "" {
			break
		}
		request["cursor"] = next
	}
	return l.print(in.stdout, items, func(w io.Writer) error {
		columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(columns, l.header)
		for _, item := range items {
			fmt.Fprintln(columns, strings.Join(l.row(item), "\t"))
		}
		return columns.Flush()
	})
}

// expiry writes an expiry for people; nil is none.
func expiry(at *int64) string {
	if at == nil {
		return "never"
	}
	return moment(*at)
}

// moment writes a time of the API for people, with its zone.
func moment(at int64) string { return time.UnixMilli(at).UTC().Format(time.RFC3339) }
