package codec

import (
	"encoding/binary"
	"fmt"

	"github.com/creditd/creditd/fsm"
)

// recordVersion is the first byte of every record's value.
const recordVersion = 1

// AppendRecordKey appends the bytes under which a record is stored. Their order is the order in which records are restored.
func AppendRecordKey(buf []byte, k fsm.RecordKey) []byte {
	return append(append(buf, byte(k.Kind)), k.ID...)
}

// AppendRecord appends the value that is stored under a record's key.
func AppendRecord(buf []byte, r fsm.Record) []byte {
	c := coder{buf: buf}
	version := byte(recordVersion)
	c.byte(&version)
	c.record(r)
	return c.buf
}

// DecodeRecord is the inverse of AppendRecord, given the key as well. The record keeps no reference to either.
func DecodeRecord(key, value []byte) (fsm.Record, error) {
	if len(key) == 0 {
		return nil, fmt.Errorf("decode record: empty key")
	}
	r := newRecord(fsm.Kind(key[0]))
	if r == nil {
		return nil, fmt.Errorf("decode record: unknown kind %d", key[0])
	}
	c := coder{buf: value, reading: true}
	var version byte
	if c.byte(&version); version != recordVersion {
		return nil, fmt.Errorf("decode record %q: version is %d, this build reads %d", key, version, recordVersion)
	}
	c.record(r)
	if err := c.finish(); err != nil {
		return nil, fmt.Errorf("decode record %q: %w", key, err)
	}
	if name := r.Key(); name.Kind != fsm.Kind(key[0]) || name.ID != string(key[1:]) {
		return nil, fmt.Errorf("decode record %q: it names itself %v", key, name)
	}
	return r, nil
}

func newRecord(kind fsm.Kind) fsm.Record {
	switch kind {
	case fsm.MetaKind:
		return &fsm.MetaRecord{}
	case fsm.WorkspaceKind:
		return &fsm.WorkspaceRecord{}
	case fsm.RootKeyKind:
		return &fsm.RootKeyRecord{}
	case fsm.APIKind:
		return &fsm.APIRecord{}
	case fsm.IdentityKind:
		return &fsm.IdentityRecord{}
	case fsm.KeyKind:
		return &fsm.KeyRecord{}
	case fsm.IdentityCreditKind, fsm.KeyCreditKind:
		return &fsm.CreditRecord{}

	case fsm.MigrationKind:
		return &fsm.MigrationRecord{}

	case fsm.SessionKind:
		return &fsm.SessionRecord{}
	case fsm.OutcomeKind:
		return &fsm.OutcomeRecord{}
	case fsm.PermissionKind:
		return &fsm.PermissionRecord{}
	case fsm.RoleKind:
		return &fsm.RoleRecord{}
	case fsm.NamespaceKind:
		return &fsm.NamespaceRecord{}
	case fsm.OverrideKind:
		return &fsm.OverrideRecord{}
	case fsm.WindowKind:
		return &fsm.WindowRecord{}
	case fsm.AuditKind:
		return &fsm.AuditRecord{}
	default:
		return nil
	}
}

func (c *coder) record(r fsm.Record) {
	switch r := r.(type) {
	case *fsm.MetaRecord:
		c.string(&r.ClusterID)
		c.int(&r.Clock)
		c.uint(&r.Books.Granted)
		c.uint(&r.Books.Withdrawn)
		c.uint(&r.Books.Charged)
		c.uint(&r.Sessions)
	case *fsm.WorkspaceRecord:
		c.string(&r.ID)
		c.string(&r.Name)
		c.int(&r.CreatedAt)
		c.bool(&r.Enabled)
	case *fsm.RootKeyRecord:
		c.rootKeyRecord(r)
	case *fsm.APIRecord:
		c.string(&r.ID)
		c.string(&r.KeyspaceID)
		c.string(&r.Name)
		c.string(&r.WorkspaceID)
		c.int(&r.CreatedAt)
		c.bool(&r.Protected)
		c.bool(&r.Deleted)
	case *fsm.IdentityRecord:
		c.identityRecord(r)
	case *fsm.KeyRecord:
		c.keyRecord(r)
	case *fsm.CreditRecord:
		c.string(&r.Owner)
		c.bool(&r.Identity)
		c.int(&r.Remaining)
		c.refill(&r.Refill)
		c.int(&r.RefilledAt)
		c.int(&r.Considered)

	case *fsm.MigrationRecord:
		c.migrationRecord(r)

	case *fsm.SessionRecord:
		c.sessionRecord(r)
	case *fsm.OutcomeRecord:
		c.outcomeRecord(r)
	case *fsm.PermissionRecord:
		c.permissionRecord(r)
	case *fsm.RoleRecord:
		c.roleRecord(r)
	case *fsm.NamespaceRecord:
		c.namespaceRecord(r)
	case *fsm.OverrideRecord:
		c.overrideRecord(r)
	case *fsm.WindowRecord:
		c.windowRecord(r)
	case *fsm.AuditRecord:
		c.auditRecord(r)
	default:
		panic(fmt.Sprintf("codec: record of unknown type %T", r))
	}
}

func (c *coder) rootKeyRecord(r *fsm.RootKeyRecord) {
	c.string(&r.ID)
	c.hash(&r.Hash)
	c.string(&r.Name)
	c.string(&r.WorkspaceID)
	c.strings(&r.Permissions)
	c.int(&r.CreatedAt)
	c.int(&r.Expires)
	c.bool(&r.Enabled)
}

func (c *coder) identityRecord(r *fsm.IdentityRecord) {
	c.string(&r.ID)
	c.string(&r.ExternalID)
	c.string(&r.WorkspaceID)
	c.string(&r.Meta)
	enum(c, &r.Policy, fsm.IdentityPays, fsm.BothPay)
	c.int(&r.CreatedAt)
	c.bool(&r.Deleted)
	c.ratelimits(&r.Ratelimits)
}

func (c *coder) keyRecord(r *fsm.KeyRecord) {
	c.string(&r.ID)
	c.hash(&r.Hash)
	c.string(&r.Start)
	c.string(&r.APIID)
	c.string(&r.IdentityID)
	c.string(&r.Name)
	c.string(&r.Meta)
	c.int(&r.CreatedAt)
	c.int(&r.UpdatedAt)
	c.int(&r.LastUsedAt)
	c.int(&r.Expires)
	c.bool(&r.Enabled)
	c.bool(&r.Deleted)
	c.strings(&r.Permissions)
	c.strings(&r.Roles)
	c.ratelimits(&r.Ratelimits)
}

func (c *coder) permissionRecord(r *fsm.PermissionRecord) {
	c.string(&r.ID)
	c.string(&r.WorkspaceID)
	c.string(&r.Name)
	c.string(&r.Slug)
	c.string(&r.Description)
	c.int(&r.CreatedAt)
	c.bool(&r.Deleted)
}

func (c *coder) roleRecord(r *fsm.RoleRecord) {
	c.string(&r.ID)
	c.string(&r.WorkspaceID)
	c.string(&r.Name)
	c.string(&r.Description)
	c.strings(&r.Permissions)
	c.int(&r.CreatedAt)
	c.bool(&r.Deleted)
}

// AppendDigest appends the encoding of a digest, as it is stored with a snapshot.
func AppendDigest(buf []byte, d fsm.Digest) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(buf, d.A), d.B)
}

// DecodeDigest is the inverse of AppendDigest.
func DecodeDigest(data []byte) (fsm.Digest, error) {
	if len(data) != 16 {
		return fsm.Digest{}, fmt.Errorf("decode digest: %d bytes, want 16", len(data))
	}
	return fsm.Digest{A: binary.BigEndian.Uint64(data), B: binary.BigEndian.Uint64(data[8:])}, nil
}
