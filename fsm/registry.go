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

// recordTypes finds the type of a record by its kind. Each kind has one row here. The row says how the record is loaded.
var recordTypes = recordTable(
	recordRow{&metaRecordType, load((*State).loadMeta)},
	recordRow{&workspaceRecordType, load((*State).loadWorkspace)},
	recordRow{&rootKeyRecordType, load((*State).loadRootKey)},
	recordRow{&apiRecordType, load((*State).loadAPI)},
	recordRow{&migrationRecordType, load((*State).loadMigration)},
	recordRow{&permissionRecordType, load((*State).loadPermission)},
	recordRow{&roleRecordType, load((*State).loadRole)},
	recordRow{&identityRecordType, load((*State).loadIdentity)},
	recordRow{&keyRecordType, load((*State).loadKey)},
	recordRow{&identityCreditRecordType, load((*State).loadCredit)},
	recordRow{&keyCreditRecordType, load((*State).loadCredit)},
	recordRow{&importMarkRecordType, load((*State).loadMark)},
	recordRow{&sweepRecordType, load((*State).loadSweep)},
	recordRow{&namespaceRecordType, load((*State).loadNamespace)},
	recordRow{&overrideRecordType, load((*State).loadOverride)},
	recordRow{&windowRecordType, load((*State).loadCountedWindow)},
	recordRow{&sessionRecordType, load((*State).loadSession)},
	recordRow{&idempotencyRecordType, load((*State).loadIdempotencyRecord)},
	recordRow{&auditRecordType, load((*State).loadAudit)},
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
}

// load adapts a load method to the registry.
func load[R Record](method func(*State, R) bool) func(*State, Record) bool {
	return func(s *State, r Record) bool { return method(s, r.(R)) }
}

func recordTable(rows ...recordRow) (table [256]*recordRow) {
	for _, row := range append(rows, nextRecords...) {
		if table[row.kind] != nil {
			panic(fmt.Sprintf("fsm: record kind %d is taken", row.kind))
		}
		table[row.kind] = &row
	}
	return table
}
