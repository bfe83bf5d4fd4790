package fsm

import (
	"fmt"

	"github.com/creditd/creditd/fsm/fields"
)

// commandTypes finds the type of a command by its kind. Each command has one row here.
var commandTypes = commandTable(
	&bootstrapType, &openSessionType, &raiseLedgerVersionType,
	&createWorkspaceType, &updateWorkspaceType, &createRootKeyType, &revokeRootKeyType,
	&createAPIType, &deleteAPIType,
	&createKeyType, &updateKeyType, &deleteKeyType, &rerollKeyType, &updateKeyCreditsType,
	&linkKeyPermissionsType, &linkKeyRolesType,
	&createMigrationType, &migrateKeysType, &migrateKeysExtendedType,
	&verifyKeyType, &verifyKeyExtendedType, &verifyMigratedType, &verifyKeysType,
	&createIdentityType, &updateIdentityType, &deleteIdentityType, &updateIdentityCreditsType,
	&createPermissionType, &deletePermissionType, &createRoleType, &deleteRoleType, &setRolePermissionsType,
	&importRecordsType, &finishImportType,
	&consumeRatelimitsType, &setOverrideType, &deleteOverrideType,
)

// recordTypes finds the type of a record by its kind. Each kind has one row here. The row says how the record is loaded and how the entity
// in memory is found.
var recordTypes = recordTable(
	recordRow{&metaRecordType, load((*State).loadMeta), neverAgain},
	recordRow{&workspaceRecordType, load((*State).loadWorkspace), neverAgain},
	recordRow{&rootKeyRecordType, load((*State).loadRootKey), found(func(s *State, id string) *rootKey { return s.rootKeys[id] })},
	recordRow{&apiRecordType, load((*State).loadAPI), found(func(s *State, id string) *api { return s.apis[id] })},
	recordRow{&migrationRecordType, load((*State).loadMigration), neverAgain},
	recordRow{&permissionRecordType, load((*State).loadPermission), found(func(s *State, id string) *permission { return s.permissions[id] })},
	recordRow{&roleRecordType, load((*State).loadRole), found(func(s *State, id string) *role { return s.roles[id] })},
	recordRow{&identityRecordType, load((*State).loadIdentity), found(func(s *State, id string) *identity { return s.identities.find(id) })},
	recordRow{&keyRecordType, load((*State).loadKey), found(func(s *State, id string) *key { return s.keys.find(id) })},
	recordRow{&identityCreditRecordType, load((*State).loadCredit), found((*State).creditOfIdentity)},
	recordRow{&keyCreditRecordType, load((*State).loadCredit), found((*State).creditOfKey)},
	recordRow{&importMarkRecordType, load((*State).loadMark), found((*State).markOf)},
	recordRow{&sweepRecordType, load((*State).loadSweep), found((*State).sweepOf)},
	recordRow{&namespaceRecordType, load((*State).loadNamespace), neverAgain},
	recordRow{&overrideRecordType, load((*State).loadOverride), found(func(s *State, id string) *override { return s.overrides[id] })},
	recordRow{&windowRecordType, load((*State).loadCountedWindow), neverAgain},
	recordRow{&sessionRecordType, load((*State).loadSession), neverAgain},
	recordRow{&idempotencyRecordType, load((*State).loadIdempotencyRecord), neverAgain},
	recordRow{&auditRecordType, load((*State).loadAudit), neverAgain},
)

// commandTable panics if a type is incomplete, or if two types have the same kind: such a build must not start.
func commandTable(types ...*commandType) (table [256]*commandType) {
	for _, t := range append(types, nextCommands...) {
		if table[t.kind] != nil || t.kind == formMark || t.kind == originMark || t.kind == idempotencyMark {
			panic(fmt.Sprintf("fsm: command kind %d is taken", t.kind))
		}
		if t.event == Unaudited && !t.unaudited && !t.system {
			panic(fmt.Sprintf("fsm: command kind %d does not say whether it leaves an audit entry", t.kind))
		}
		if !t.hasRule() {
			panic(fmt.Sprintf("fsm: command kind %d has neither a plan, nor apply and peek", t.kind))
		}
		table[t.kind] = t
	}
	return table
}

// hasRule reports whether the commands of a type are planners or executors. Executors of clients are peekers too, so that each command of a
// client can be refused without the log.
func (t *commandType) hasRule() bool {
	c := t.create(new(fields.Visitor))
	_, plans := c.(planner)
	_, executes := c.(executor)
	_, peeks := c.(peeker)
	return plans != executes && (plans || peeks || t.system)
}

// recordRow is the row of a kind of record.
type recordRow struct {
	*recordType
	load func(*State, Record) bool
	// live finds the entity that has a name now. A snapshot asks for the names of removed records.
	live func(s *State, id string) entity
}

// load adapts a load method to the registry.
func load[R Record](method func(*State, R) bool) func(*State, Record) bool {
	return func(s *State, r Record) bool { return method(s, r.(R)) }
}

// found adapts a look-up to the registry.
func found[N interface {
	comparable
	entity
}](find func(*State, string) N) func(*State, string) entity {
	return func(s *State, id string) entity {
		var none N
		if n := find(s, id); n != none {
			return n
		}
		return nil
	}
}

// neverAgain is for kinds whose records are never removed, or whose names are never reused.
func neverAgain(*State, string) entity { return nil }

func recordTable(rows ...recordRow) (table [256]*recordRow) {
	for _, row := range append(rows, nextRecords...) {
		if table[row.kind] != nil {
			panic(fmt.Sprintf("fsm: record kind %d is taken", row.kind))
		}
		table[row.kind] = &row
	}
	return table
}
