package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/creditd/creditd/cmd/creditd/internal/settings"
	"github.com/creditd/creditd/fsm"
)

var _ = register(registration{use: "rootkey", short: "make, show and revoke root keys",
	long: "Root keys authorise callers of the management API."})

var _ = register(registration{group: "rootkey", use: "create", short: "make a root key and print it once",
	long: `Makes a root key and prints it to stdout. It cannot be shown again, because the cluster keeps only
its hash. The root key that asks for it needs the permission cluster.*.operate. The new key needs
--permission, --preset or --admin. Section 1.12 of docs/contract.md lists permissions and presets.`,
	make: func() command { return &rootkeyCreate{} }})

type rootkeyCreate struct {
	reporter

	name, workspace, expires string
	permissions              []string
	preset                   string
	admin, allowUnknown      bool
	expiresAt                time.Time
}

func (r *rootkeyCreate) bind(s *settings.Set) {
	s.Group("Root key")
	s.Text(&r.name, "name", "NAME", "what the key is for; required")
	s.Items(&r.permissions, "permission", "PERMISSION", "what the key may do, such as api.*.verify_key", func(item string) (string, error) { return item, nil })
	settings.Choice(s, &r.preset, "preset", "a named list of permissions", fsm.PresetNames()...)
	s.Switch(&r.admin, "admin", "all permissions: the same as --preset admin")
	s.Switch(&r.allowUnknown, "allow-unknown", "accept a --permission that grants nothing in this release")
	s.Text(&r.workspace, "workspace", "ID", "workspace that the key acts for; without it that of the calling root key")
	s.Text(&r.expires, "expires", "TIME", "when the key ends: a time like 2030-01-31T00:00:00Z or a duration from now like 720h; without it never")
	r.reporter.bind(s)
}

func (r *rootkeyCreate) check(in invocation, s *settings.Set) {
	if r.name == "" {
		s.Refuse("name", "missing; say what the key is for")
	}
	r.checkPermissions(s)
	if r.expires != "" {
		var err error
		if r.expiresAt, err = parseExpiry(r.expires, in.now); err != nil {
			s.Refuse("expires", "%q: %v", r.expires, err)
		}
	}
	r.reporter.check(in, s)
}

func (r *rootkeyCreate) checkPermissions(s *settings.Set) {
	switch {
	case r.admin && r.preset != "":
		s.Refuse("preset", "--admin names a preset as well; use one of the two")
	case r.admin:
		r.preset = "admin"
	}
	if len(r.permissions) == 0 && r.preset == "" && s.Fine("permission", "preset") {
		s.Refuse("permission", "missing; name what the key may do, for example --permission 'api.*.verify_key' or --preset verify")
	}
	for _, p := range r.permissions {
		if !r.allowUnknown && !fsm.KnownPermission(p) {
			s.Refuse("permission", "%q: %v", p, refusePermission(p))
		}
	}
}

// createdRootKey is the answer of rootKeys.createRootKey.
type createdRootKey struct {
	KeyID              string   `json:"keyId"`
	Key                string   `json:"key"`
	UnknownPermissions []string `json:"unknownPermissions,omitempty"`
}

func (r *rootkeyCreate) run(in invocation) error {
	request := map[string]any{"name": r.name}
	if len(r.permissions) > 0 {
		request["permissions"] = slices.Compact(slices.Sorted(slices.Values(r.permissions)))
	}
	if r.preset != "" {
		request["preset"] = r.preset
	}
	if r.workspace != "" {
		request["workspaceId"] = r.workspace
	}
	if r.expires != "" {
		request["expires"] = r.expiresAt.UnixMilli()
	}
	var made createdRootKey
	if err := r.call("rootKeys.createRootKey", request, &made); err != nil {
		return err
	}
	return r.print(in.stdout, made, func(w io.Writer) error {
		fmt.Fprintln(in.stderr, "Keep the root key now: it cannot be shown again.")
		if len(made.UnknownPermissions) > 0 {
			fmt.Fprintf(in.stderr, "These permissions grant nothing: %s\n", strings.Join(made.UnknownPermissions, " "))
		}
		_, err := fmt.Fprintf(w, "key id    %s\nroot key  %s\n", made.KeyID, made.Key)
		return err
	})
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

type rootKeyShown struct {
	KeyID       string   `json:"keyId"`
	WorkspaceID string   `json:"workspaceId"`
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"`
	Expires     *int64   `json:"expires"`
}

var _ = register(registration{group: "rootkey", use: "list", short: "show the root keys of all workspaces",
	long: "Shows the root keys of all workspaces; never the keys themselves.",
	make: func() command {
		return &list[rootKeyShown]{endpoint: "rootKeys.listRootKeys", header: []string{"KEY ID", "WORKSPACE", "NAME", "EXPIRES", "PERMISSIONS"}, row: func(r rootKeyShown) []string {
			return []string{r.KeyID, r.WorkspaceID, r.Name, expiry(r.Expires), strings.Join(r.Permissions, " ")}
		}}
	}})

var _ = register(registration{group: "rootkey", use: "revoke KEYID", short: "revoke a root key permanently",
	long: "Revokes a root key permanently, on all nodes at once. A root key cannot revoke itself.",
	make: func() command { return &rootkeyRevoke{} }})

type rootkeyRevoke struct{ operator }

func (r *rootkeyRevoke) run(in invocation) error {
	if err := r.call("rootKeys.revokeRootKey", map[string]string{"keyId": in.args[0]}, nil); err != nil {
		return err
	}
	_, err := fmt.Fprintf(in.stdout, "revoked  %s\n", in.args[0])
	return err
}
