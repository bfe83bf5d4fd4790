package unkeydb

import (
	"context"
	"fmt"
)

const (
	permissionCount = 40
	roleCount       = 12
	namespaceCount  = 5
	// Numbers of APIs that are not like the others.
	guardedAPI   = 3 // only some addresses may use its keys
	protectedAPI = 4
	deletedAPI   = 5
	bareAPI      = 6 // has no keys at all
	apiCount     = 7
)

// created is when most rows were made.
const created = 1_700_000_000_000

// take counts a row that becomes a record.
func (s *Set) take(kind string) { s.Expect.Taken[kind]++ }

// problem counts a row that cannot be expressed, or not in full.
func (s *Set) problem(column string) { s.Expect.Problems[column]++ }

// fillAround makes everything that is neither a key nor an identity.
func (s *Set) fillAround(ctx context.Context) {
	t := &s.tables
	t.workspaces.add(ctx, Workspace, "Source")
	t.workspaces.add(ctx, Neighbour, "Neighbour")
	for n := range apiCount {
		s.fillAPI(ctx, n)
	}
	t.apis.add(ctx, id("api", 100), "Neighbour's", Neighbour, id("ks", 100), nil, 0, created, nil)
	t.keyAuth.add(ctx, id("ks", 100), Neighbour, 0, nil)
	t.permissions.add(ctx, id("perm", 999), Neighbour, "foreign", "foreign", nil, created)
	for n := range permissionCount {
		name := fmt.Sprintf("domain.%d.write", n)
		t.permissions.add(ctx, id("perm", n), Workspace, name, name, "unicode Ünï \U0001F511", created+n)
		s.take("permission")
	}
	t.permissions.add(ctx, id("perm", 500), Workspace, "has a space", "has a space", nil, created)
	s.problem("permissions." + s.slugColumn())
	for n := range roleCount {
		t.roles.add(ctx, id("role", n), Workspace, fmt.Sprintf("Rolle %d \u00e4", n), nil, created)
		s.take("role")
		for p := range n {
			t.rolesPermissions.add(ctx, id("role", n), id("perm", p), Workspace)
		}
	}
	s.fillNamespaces(ctx)
	if t.migrations.exists() {
		t.migrations.add(ctx, sha256Migration, Workspace, "sha256")
		t.migrations.add(ctx, prefixedMigration, Workspace, "github.com/seamapi/prefixed-api-key")
		s.Expect.Taken["migration"] = 2
	}
}

const (
	sha256Migration   = "mig_sha256"
	prefixedMigration = "mig_prefixed"
)

// slugColumn is where the text of a permission is.
func (s *Set) slugColumn() string {
	if s.Options.Old {
		return "name"
	}
	return "slug"
}

func (s *Set) fillAPI(ctx context.Context, n int) {
	var addresses, deleted, keyspace any
	protected := 0
	keyspace = id("ks", n)
	switch n {
	case guardedAPI:
		addresses = "10.0.0.1,10.0.0.2"
		s.problem("apis.ip_whitelist")
	case protectedAPI:
		protected = 1
	case deletedAPI:
		deleted = created + 5
		s.Expect.Skipped["apis"]++
	case bareAPI:
		keyspace = nil
	}
	if n != deletedAPI {
		s.take("api")
	}
	s.tables.apis.add(ctx, id("api", n), fmt.Sprintf("API number %d", n), Workspace, keyspace, addresses, protected, created+n, deleted)
	if keyspace != nil {
		s.tables.keyAuth.add(ctx, keyspace, Workspace, 0, deleted)
	}
}

func (s *Set) fillNamespaces(ctx context.Context) {
	for n := range namespaceCount {
		s.tables.namespaces.add(ctx, id("rlns", n), Workspace, fmt.Sprintf("space %d", n), created, nil)
		s.take("namespace")
		for o := range 3 {
			s.tables.overrides.add(ctx, id("rlor", n*10+o), Workspace, id("rlns", n), fmt.Sprintf("user_%d_*", o), 10*o, 60_000, created, nil)
			s.take("override")
		}
	}
	s.tables.namespaces.add(ctx, id("rlns", 50), Workspace, "gone", created, created+1)
	s.Expect.Skipped["ratelimit_namespaces"]++
	s.tables.overrides.add(ctx, id("rlor", 500), Workspace, id("rlns", 50), "of a namespace that is gone", 1, 60_000, created, nil)
	s.Expect.Skipped["ratelimit_overrides"]++
	s.tables.overrides.add(ctx, id("rlor", 501), Workspace, id("rlns", 0), "gone itself", 1, 60_000, created, created+1)
	s.Expect.Skipped["ratelimit_overrides"]++
	s.tables.overrides.add(ctx, id("rlor", 502), Workspace, id("rlns", 0), "too short", 1, 10, created, nil)
	s.problem("ratelimit_overrides.duration")
}

// fillOrphans makes rows that belong to nothing.
func (s *Set) fillOrphans(ctx context.Context) {
	t := &s.tables
	nobody := id("key", -1)
	if t.credits.exists() {
		t.credits.add(ctx, id("cr", -1), Workspace, nobody, nil, 5, nil, nil, nil, created, nil)
		s.problem("credits.key_id")
		t.credits.add(ctx, id("cr", -2), Workspace, nil, id("id", -1), 5, nil, nil, nil, created, nil)
		s.problem("credits.identity_id")
		t.credits.add(ctx, id("cr", -3), Workspace, nil, nil, 5, nil, nil, nil, created, nil)
		s.problem("credits.key_id")
	}
	t.ratelimits.add(ctx, id("rl", -1), "requests", Workspace, nobody, nil, 5, 60_000, 0, created)
	s.problem("ratelimits.key_id")
	t.keysPermissions.add(ctx, nobody, id("perm", 1), Workspace)
	s.problem("keys_permissions.key_id")
	t.keysPermissions.add(ctx, KeyID(0), id("perm", -1), Workspace)
	s.problem("keys_permissions.permission_id")
	t.keysPermissions.add(ctx, KeyID(0), id("perm", 999), Workspace) // exists, in another workspace
	s.problem("keys_permissions.permission_id")
	t.keysRoles.add(ctx, nobody, id("role", 1), Workspace)
	s.problem("keys_roles.key_id")
	t.keysRoles.add(ctx, KeyID(0), id("role", -1), Workspace)
	s.problem("keys_roles.role_id")
	t.rolesPermissions.add(ctx, id("role", -1), id("perm", 1), Workspace)
	s.problem("roles_permissions.role_id")
	t.rolesPermissions.add(ctx, id("role", 1), id("perm", -1), Workspace)
	s.problem("roles_permissions.permission_id")
	t.overrides.add(ctx, id("rlor", -1), Workspace, id("rlns", -1), "nowhere", 1, 60_000, created, nil)
	s.problem("ratelimit_overrides.namespace_id")
}
