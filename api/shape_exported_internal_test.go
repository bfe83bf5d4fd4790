package api

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/fsm"
)

// filledLedger has everything that somebody asks for, and nothing of it is deleted.
type filledLedger struct{ Records }

func (filledLedger) Find(name fsm.RecordKey) (fsm.Record, error) {
	switch name.Kind {
	case fsm.APIKind:
		return &fsm.APIRecord{ID: name.ID, WorkspaceID: "ws"}, nil
	case fsm.IdentityKind:
		return &fsm.IdentityRecord{ID: name.ID, WorkspaceID: "ws"}, nil
	case fsm.PermissionKind:
		return &fsm.PermissionRecord{ID: name.ID, WorkspaceID: "ws"}, nil
	case fsm.RoleKind:
		return &fsm.RoleRecord{ID: name.ID, WorkspaceID: "ws"}, nil
	case fsm.NamespaceKind:
		return &fsm.NamespaceRecord{ID: name.ID, WorkspaceID: "ws"}, nil
	}
	return nil, nil
}

// What is exported and read again has every field of the record, so that a new field cannot be forgotten in one of the two.
func TestExported_ForgetsNoField(t *testing.T) {
	filled := []fsm.Record{
		&fsm.WorkspaceRecord{}, &fsm.RootKeyRecord{}, &fsm.APIRecord{}, &fsm.MigrationRecord{}, &fsm.PermissionRecord{}, &fsm.RoleRecord{},
		&fsm.IdentityRecord{}, &fsm.KeyRecord{}, &fsm.NamespaceRecord{}, &fsm.OverrideRecord{},
	}
	require.Len(t, filled, len(exportedKinds))
	for i, want := range filled {
		require.Equal(t, exportedKinds[i], want.Key().Kind)
		fill(t, reflect.ValueOf(want).Elem())
		x := &exporter{view: filledLedger{}, all: true}
		x.known.reset()
		shown, workspace, err := x.exported(want)
		require.NoError(t, err)
		require.NotNil(t, shown, "%T", want)
		got := imported(shown).Record
		if field := reflect.ValueOf(got).Elem().FieldByName("WorkspaceID"); field.IsValid() {
			field.SetString(workspace) // which stands beside the record
		}
		require.Equal(t, want, got)
	}
}

// A key that lost its balance with its identity is exported with nothing, also after the ledger has removed the identity.
func TestExported_KeyThatLostItsBalance(t *testing.T) {
	x := &exporter{view: filledLedger{}, all: true}
	x.known.reset()
	for lost, want := range map[bool]*records.Credits{true: {}, false: nil} {
		shown, _, err := x.exported(&fsm.KeyRecord{ID: "key_1", APIID: "api_1", Lost: lost})
		require.NoError(t, err)
		require.Equal(t, want, shown.Key.Credits)
	}
}

// fill gives each field of a record a value. What stands only in records of deleted things stays as it is.
func fill(t *testing.T, record reflect.Value) {
	t.Helper()
	for i := range record.NumField() {
		field, at := record.Type().Field(i), record.Field(i)
		if !field.IsExported() {
			continue
		}
		switch field.Name {
		case "Deleted", "HadBalance", "KeysDeleted", "Lost":
			continue
		case "WorkspaceID":
			at.SetString("ws")
			continue
		case "Meta":
			at.SetString(`{"a":1}`)
			continue
		case "Quotas":
			at.Set(reflect.ValueOf(fsm.Quotas{fsm.KeysQuota: {Limited: true, Limit: 7}}))
			continue
		case "Policy":
			at.Set(reflect.ValueOf(fsm.BothPay))
			continue
		}
		switch at.Kind() {
		case reflect.String:
			at.SetString(fmt.Sprintf("%s_%d", field.Name, i))
		case reflect.Int64:
			at.SetInt(int64(1000 + i))
		case reflect.Uint8:
			at.SetUint(1)
		case reflect.Bool:
			at.SetBool(true)
		case reflect.Array:
			at.Index(0).SetUint(uint64(i + 1))
		case reflect.Slice:
			list := reflect.MakeSlice(at.Type(), 1, 1)
			if list.Index(0).Kind() == reflect.Struct {
				fill(t, list.Index(0))
			} else {
				list.Index(0).SetString(field.Name)
			}
			at.Set(list)
		default:
			t.Fatalf("say what to put into %s of %s", field.Name, record.Type())
		}
	}
}
