package unkeydb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

//go:embed schema
var schemas embed.FS

// The workspace that is migrated, and one beside it of which nothing may be taken.
const (
	Workspace = "ws_source"
	Neighbour = "ws_neighbour"
)

// Reader is a user that can only read, and its password.
const (
	Reader         = "reader"
	ReaderPassword = "only-reads"
)

// Options say how large a database is, and of which time.
type Options struct {
	Keys, Identities int
	Old              bool      // the older form: no pk, fewer columns and tables
	Now              time.Time // when the source is read
}

// Set is a database and what must become of its rows.
type Set struct {
	DB      *sql.DB // as the administrator
	Name    string
	Options Options
	Expect  Expect

	tables tables
	taken  map[int]bool // numbers of the keys that are taken over
}

// Expect counts what a migration of the workspace must find.
type Expect struct {
	Taken    map[string]int // by kind of record
	Skipped  map[string]int // by table: rows that are deleted, or belong to something that is, and root keys
	Problems map[string]int // by "table.column", for rows that cannot be expressed
	Keys     uint64         // sum of the balances of the keys that are taken, as the source has them
	Owners   uint64         // the same of identities
	Plain    uint64         // of Keys, those whose balance has no refill
}

type tables struct {
	workspaces, apis, keyAuth, keys, credits, identities, ratelimits, permissions, roles *table
	keysPermissions, keysRoles, rolesPermissions, namespaces, overrides                  *table
	migrations, encrypted                                                                *table
}

// Fill makes a database on the server and fills it. The same options give the same rows.
func (s *Server) Fill(ctx context.Context, name string, options Options) (*Set, error) {
	admin, err := s.connect("")
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	for _, statement := range []string{
		"CREATE DATABASE `" + name + "` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
		"CREATE USER IF NOT EXISTS '" + Reader + "'@'%' IDENTIFIED BY '" + ReaderPassword + "'",
		"GRANT SELECT ON `" + name + "`.* TO '" + Reader + "'@'%'",
	} {
		if _, err := admin.ExecContext(ctx, statement); err != nil {
			return nil, err
		}
	}
	db, err := s.connect(name)
	if err != nil {
		return nil, err
	}
	set := &Set{DB: db, Name: name, Options: options, taken: map[int]bool{}, Expect: Expect{
		Taken: map[string]int{}, Skipped: map[string]int{}, Problems: map[string]int{},
	}}
	if err := set.fill(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return set, nil
}

func (s *Set) fill(ctx context.Context) error {
	form := "new"
	if s.Options.Old {
		form = "old"
	}
	schema, err := schemas.ReadFile("schema/" + form + ".sql")
	if err != nil {
		return err
	}
	if _, err := s.DB.ExecContext(ctx, string(schema)); err != nil {
		return err
	}
	if err := s.tables.open(ctx, s.DB); err != nil {
		return err
	}
	s.fillAround(ctx)
	s.fillIdentities(ctx)
	s.fillKeys(ctx)
	s.fillOrphans(ctx)
	return s.tables.flush(ctx)
}

// open lists the columns that rows are written with.
func (t *tables) open(ctx context.Context, db *sql.DB) (err error) {
	for _, one := range []struct {
		into    **table
		name    string
		columns string
	}{
		{&t.workspaces, "workspaces", "id name"},
		{&t.apis, "apis", "id name workspace_id key_auth_id ip_whitelist delete_protection created_at_m deleted_at_m"},
		{&t.keyAuth, "key_auth", "id workspace_id store_encrypted_keys deleted_at_m"},
		{&t.keys, "keys", "id key_auth_id hash start workspace_id for_workspace_id name identity_id meta expires enabled remaining_requests " +
			"refill_day refill_amount last_refill_at last_used_at pending_migration_id created_at_m updated_at_m deleted_at_m"},
		{&t.credits, "credits", "id workspace_id key_id identity_id remaining refill_day refill_amount refilled_at created_at updated_at"},
		{&t.identities, "identities", "id external_id workspace_id meta deleted created_at updated_at"},
		{&t.ratelimits, "ratelimits", "id name workspace_id key_id identity_id limit duration auto_apply created_at"},
		{&t.permissions, "permissions", "id workspace_id name slug description created_at_m"},
		{&t.roles, "roles", "id workspace_id name description created_at_m"},
		{&t.keysPermissions, "keys_permissions", "key_id permission_id workspace_id"},
		{&t.keysRoles, "keys_roles", "key_id role_id workspace_id"},
		{&t.rolesPermissions, "roles_permissions", "role_id permission_id workspace_id"},
		{&t.namespaces, "ratelimit_namespaces", "id workspace_id name created_at_m deleted_at_m"},
		{&t.overrides, "ratelimit_overrides", "id workspace_id namespace_id identifier limit duration created_at_m deleted_at_m"},
		{&t.migrations, "key_migrations", "id workspace_id algorithm"},
		{&t.encrypted, "encrypted_keys", "workspace_id key_id encrypted encryption_key_id"},
	} {
		if *one.into, err = newTable(ctx, db, one.name, strings.Fields(one.columns)...); err != nil {
			return err
		}
	}
	return nil
}

func (t *tables) flush(ctx context.Context) error {
	var errs []error
	for _, one := range []*table{
		t.workspaces, t.apis, t.keyAuth, t.keys, t.credits, t.identities, t.ratelimits, t.permissions, t.roles, t.keysPermissions, t.keysRoles,
		t.rolesPermissions, t.namespaces, t.overrides, t.migrations, t.encrypted,
	} {
		one.flush(ctx)
		if one.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", one.name, one.err))
		}
	}
	return errors.Join(errs...)
}

// id makes an id that looks like one of Unkey's. Ids do not come in the order of their numbers.
func id(prefix string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", prefix, n))
	return prefix + "_" + hex.EncodeToString(sum[:])[:20]
}

// KeyID is the id of the nth key.
func KeyID(n int) string { return id("key", n) }

// IdentityID is the id of the nth identity.
func IdentityID(n int) string { return id("id", n) }

// Secret is the full text of the nth key.
func Secret(n int) string { return fmt.Sprintf("sk_live%dUnkey", n) }

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// limits of the older form's columns, which are signed and have 32 bits.
func (s *Set) most() uint64 {
	if s.Options.Old {
		return 1<<31 - 1
	}
	return 1<<63 - 1
}
