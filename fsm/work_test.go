package fsm_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// The estimate knows what a command reaches, and not only its own bytes: an entry of small commands about large records must not take long.
func TestWork_KnowsWhatACommandReaches(t *testing.T) {
	s := newLedger(t)
	large := `{"x":"` + strings.Repeat("x", 65_000) + `"}`
	work := func(c fsm.Command) fsm.Work { return s.Work(&fsm.Call{Actor: root, Command: c}) }
	id := newKey(t, s, 'a', "", credits(5))
	plain := work(&fsm.UpdateKey{KeyID: id, Enabled: fsm.Set(false)})
	apply(t, s, &fsm.UpdateKey{KeyID: id, Meta: fsm.Set(large)})
	for _, c := range []fsm.Command{
		&fsm.UpdateKey{KeyID: id, Enabled: fsm.Set(false)}, &fsm.DeleteKey{KeyID: id}, &fsm.RerollKey{KeyID: id},
		&fsm.LinkKeyRoles{KeyID: id}, &fsm.LinkKeyPermissions{KeyID: id}, &fsm.UpdateKeyCredits{KeyID: id},
	} {
		require.Greater(t, work(c), 20*plain, "%T", c)
	}
	newIdentity(t, s, "alice", credits(5), fsm.IdentityPays)
	apply(t, s, &fsm.UpdateIdentity{Identity: "alice", Meta: fsm.Set(large)})
	require.Greater(t, work(&fsm.UpdateIdentity{Identity: "alice"}), 20*plain)
	require.Greater(t, work(&fsm.DeleteIdentity{Identity: "alice"}), 20*plain)
	require.Positive(t, work(&fsm.DeleteIdentity{Identity: "nobody"}))

	const most fsm.Work = fsm.MaxEntryWork
	require.Greater(t, 256*work(&fsm.UpdateKey{KeyID: id, Enabled: fsm.Set(false)}), 10*most, "many at once take many entries")
	many := &fsm.VerifyKeys{Items: make([]fsm.Verification, 1000)}
	for i := range many.Items {
		many.Items[i].Command = &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 1}
	}
	require.Greater(t, 256*work(many), 50*most)
	require.Less(t, 4096*work(&fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 1}), most, "plain verifications are bounded by their number")
}

// A verification of a key with thousands of permissions is not a plain one.
func TestWork_CountsThePermissionsOfAVerifiedKey(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'a', "", credits(5))
	verify := &fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 1}}
	plain := s.Work(verify)
	var refs []fsm.PermissionRef
	for i := range 1000 {
		refs = append(refs, fsm.PermissionRef{Slug: fmt.Sprint("p", i), ID: fmt.Sprint("perm_", i)})
	}
	require.Zero(t, code(apply(t, s, &fsm.UpdateKey{KeyID: "key_a", Permissions: fsm.Set(refs)})))
	require.Greater(t, s.Work(verify), 500*plain)
	many := &fsm.VerifyKeys{Items: []fsm.Verification{{Command: verify.Command}}}
	require.Greater(t, s.Work(&fsm.Call{Actor: root, Command: many}), 500*plain)
}
