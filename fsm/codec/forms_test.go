package codec_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

// future is a ledger version that no build reads.
const future = 99

// requireFuture demands an error that says by version what is wrong, through everything that package codec puts around it.
func requireFuture(t *testing.T, err error, what string) {
	t.Helper()
	var version *fsm.VersionError
	require.ErrorAs(t, err, &version, what)
	require.EqualValues(t, future, version.Version, what)
	require.ErrorContains(t, err, fmt.Sprintf("needs ledger version %d, and this build reads versions %d to %d", future, fsm.OldestLedgerVersion, fsm.NewestLedgerVersion), what)
	require.NotErrorIs(t, err, codec.ErrDamaged, what)
}

// marked is a kind in the form of a future version, and what follows.
const marked = "\xff\x63"

// What a newer build wrote is refused by its version, wherever it stands: as a whole, or inside something that this build reads.
func TestForms_OfNewerBuildsAreRefusedByVersion(t *testing.T) {
	batch := func(call string) error {
		_, err := codec.DecodeBatch(sealed([]byte("\x01\x00\x01" + strings.Repeat("\x01", 32) + "\x00\x01\x00\x00" + call)))
		return err
	}
	result := func(body string) error {
		_, err := codec.DecodeResult(sealed([]byte("\x01" + body)))
		return err
	}
	record := func(key, value string) error {
		_, err := codec.DecodeRecord([]byte(key), []byte(value))
		return err
	}
	const kind13, kind251 = "\x0d", "\xfb"
	once := strings.Repeat("\x02", 32)
	for what, err := range map[string]error{
		"a command":                             batch(marked + kind13 + "anything"),
		"a command of a kind that came with it": batch(marked + kind251 + "anything"),
		"a command with an idempotency key":     batch("\x51" + once + marked + kind251),
		"a command with an origin":              batch("\x5a\x00\x00\x00" + marked + kind251),
		"a result":                              result(marked + "\x08" + "anything"),
		"a result of a kind that came with it":  result(marked + kind251 + "anything"),
		"a result in a replay":                  result("\x51\x05" + marked + kind251),
		"a record":                              record("\x5akey_1", "\x63anything"),
		"a record of a kind that came with it":  record("\xfbx", "\x63anything"),
		"a result that a session keeps":         record("\x8c\x00\x00\x00\x00\x00\x00\x00\x07", "\x01\x07\x00\x00\x03\x01\x03\x09"+marked+kind251),
		"a result under an idempotency key":     record("\x96", "\x01\x00"+once+"\x00\x00"+marked+kind251),
		"the ledger's own record":               record("\x01", "\x02\x00\x00\x00\x00\x00\x00\x63\x06v9.9.9"),
	} {
		requireFuture(t, err, what)
	}
	raise := batch("\x47\x63\x06v9.9.9")
	requireFuture(t, raise, "an entry that raises the ledger version")
	require.ErrorContains(t, raise, "creditd v9.9.9 or a newer build")
}

// A kind that no version explains is refused, too. The message names it.
func TestForms_UnknownKindsAreRefused(t *testing.T) {
	_, err := codec.DecodeBatch(sealed([]byte("\x01\x00\x01" + strings.Repeat("\x01", 32) + "\x00\x01\x00\x00\xfb")))
	require.ErrorContains(t, err, "command of unknown kind 251")
	_, err = codec.DecodeResult(sealed([]byte("\x01\xfb")))
	require.ErrorContains(t, err, "result of unknown kind 251")
	_, err = codec.DecodeRecord([]byte("\xfbx"), []byte("\x01"))
	require.ErrorContains(t, err, "unknown kind 251")
}

// There is one form for each value: the oldest that holds it. Nodes compare bytes, and an old build must read what it can.
func TestForms_AYoungerOneThanNeededIsRefused(t *testing.T) {
	_, err := codec.DecodeBatch(sealed([]byte("\x01\x00\x01" + strings.Repeat("\x01", 32) + "\x00\x01\x00\x00\xff\x02\x14\x01a")))
	require.ErrorContains(t, err, "that of 1 holds it")
	for _, form := range []string{"\x01", "\x00"} {
		_, err := codec.DecodeResult(sealed([]byte("\x01\xff" + form + "\x01")))
		require.ErrorContains(t, err, "first form", "%x", form)
	}
	_, err = codec.DecodeResult(sealed([]byte("\x01\xff\x02\x01")))
	require.ErrorContains(t, err, "that of 1 holds it")
	for _, r := range recordSamples {
		key, value := codec.AppendRecordKey(nil, r.Key()), codec.AppendRecord(nil, r)
		require.EqualValues(t, 1, value[0])
		value[0] = 2
		_, err := codec.DecodeRecord(key, value)
		require.Error(t, err, "%T", r)
	}
}

// grow checks a record that an old build wrote. It decodes with the defaults of the newer fields, and is written in a newer form only while
// one of them is set.
func grow[R fsm.Record](t *testing.T, form byte, set, unset func(R)) {
	t.Helper()
	seen := false
	for _, e := range readGolden(t, "testdata/v1/records.txt") {
		key, err := hex.DecodeString(e.name)
		require.NoError(t, err)
		decoded, err := codec.DecodeRecord(key, e.value)
		require.NoError(t, err)
		r, ok := decoded.(R)
		if !ok {
			continue
		}
		seen = true
		require.Equal(t, e.value, codec.AppendRecord(nil, r))
		set(r)
		grown := codec.AppendRecord(nil, r)
		require.Equal(t, form, grown[0])
		require.Equal(t, e.value[1:], grown[1:len(e.value)], "the fields of the old form stand where they stood")
		again, err := codec.DecodeRecord(key, grown)
		require.NoError(t, err)
		require.Equal(t, fsm.Record(r), again)
		unset(r)
		require.Equal(t, e.value, codec.AppendRecord(nil, r))
	}
	require.True(t, seen)
}

func TestForms_ARecordGrowsOnlyWithANewField(t *testing.T) {
	grow(t, 3, func(r *fsm.WorkspaceRecord) { r.Quotas = quotasSample }, func(r *fsm.WorkspaceRecord) { r.Quotas = fsm.Quotas{} })
	grow(t, 2, func(r *fsm.MetaRecord) { r.LedgerVersion, r.RaisedBy = 2, "v1.2.0" }, func(r *fsm.MetaRecord) { r.LedgerVersion, r.RaisedBy = 1, "" })
}
