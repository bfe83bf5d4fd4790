package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

func rootkeyCommand(in invocation) int {
	return subcommands("creditd rootkey", "Root keys authorise callers of the management API.", []command{
		{"create", "make a root key and print it once", rootkeyCreateCommand},
		{"list", "show the root keys of all workspaces", rootkeyListCommand},
		{"revoke", "end a root key for good", rootkeyRevokeCommand},
	}, in)
}

type rootkeySettings struct {
	clientSettings

	name        string
	permissions []string
	workspace   string
	expires     string
}

// createdRootKey is the answer of rootKeys.createRootKey.
type createdRootKey struct {
	KeyID string `json:"keyId"`
	Key   string `json:"key"`
}

func newRootkeySettings() *rootkeySettings {
	s := &rootkeySettings{}
	s.synopsis = "rootkey create --name NAME --permission PERMISSION [flags]"
	s.about = "Makes a root key. It is printed to stdout, this once: the cluster keeps only its hash. The root\n" +
		"key that asks for it needs the permission cluster.*.operate."
	s.group("Root key")
	s.text(&s.name, "name", "", "NAME", "what the key is for; required")
	s.items(&s.permissions, "permission", "PERMISSION", "what the key may do, such as api.*.verify_key; at least one", func(string) error { return nil })
	s.text(&s.workspace, "workspace", "", "ID", "workspace the key acts for; without it that of the calling root key")
	s.text(&s.expires, "expires", "", "TIME", "when the key ends: a time like 2030-01-31T00:00:00Z or a duration from now like 720h; without it never")
	s.declareClient()
	s.declareOutput()
	return s
}

func rootkeyCreateCommand(in invocation) int {
	const name = "creditd rootkey create"
	s := newRootkeySettings()
	helped, err := s.read(in, 0)
	if helped || err != nil {
		return finish(in, name, err)
	}
	request := s.request(time.Now())
	c, err := s.client()
	if err != nil {
		return finish(in, name, err)
	}
	var made createdRootKey
	if err := c.call(context.Background(), "rootKeys.createRootKey", request, &made); err != nil {
		return finish(in, name, err)
	}
	if s.output == "json" {
		return finish(in, name, printJSON(in.stdout, made))
	}
	fmt.Fprintf(in.stdout, "key id    %s\nroot key  %s\n", made.KeyID, made.Key)
	fmt.Fprintln(in.stderr, "Keep the root key now: it cannot be shown again.")
	return exitDone
}

// request is the body of the call. What is wrong with it is noted: client reports it together with its own findings.
func (s *rootkeySettings) request(now time.Time) map[string]any {
	if s.name == "" {
		s.refuse("name", "missing; say what the key is for")
	}
	if len(s.permissions) == 0 && s.fine("permission") {
		s.refuse("permission", "missing; name what the key may do, for example --permission 'api.*.verify_key'")
	}
	request := map[string]any{"name": s.name, "permissions": sortedCopy(s.permissions)}
	if s.workspace != "" {
		request["workspaceId"] = s.workspace
	}
	if s.expires != "" {
		at, err := parseExpiry(s.expires, now)
		if err != nil {
			s.refuse("expires", "%q: %v", s.expires, err)
		}
		request["expires"] = at.UnixMilli()
	}
	return request
}

// parseExpiry reads a moment in the future, or a duration from now.
func parseExpiry(raw string, now time.Time) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, raw)
	if err != nil {
		lasting, err := time.ParseDuration(raw)
		if err != nil {
			if _, err := strconv.Atoi(raw); err == nil {
				return at, errors.New("a bare number says no unit; write a time like 2030-01-31T00:00:00Z or a duration like 720h")
			}
			return at, errors.New("neither a time like 2030-01-31T00:00:00Z nor a duration like 720h")
		}
		at = now.Add(lasting)
	}
	if !at.After(now) {
		return at, errors.New("already over")
	}
	return at, nil
}
