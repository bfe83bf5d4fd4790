package codec_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

// body is an encoding without its checksum.
func body(data []byte) []byte { return data[:len(data)-4] }

// A batch that differs in any way from what AppendBatch writes is refused: it was damaged, or written by a newer build.
func TestDecodeBatch_RefusesWhatNoBuildWrites(t *testing.T) {
	actor := strings.Repeat("\x01", 32)
	one := func(command string) string { return "\x01\x00\x01" + actor + "\x00\x01\x00\x00" + command }
	// withCallID has one session, 5, of which everything below 9 is acknowledged.
	withCallID := func(table, callID string) string {
		return "\x01\x00\x01" + actor + table + "\x01\x00" + callID + "\x0c\x01a"
	}
	b, err := codec.DecodeBatch(sealed([]byte(withCallID("\x01\x05\x09", "\x01\x00"))))
	require.NoError(t, err)
	require.Equal(t, fsm.CallID{Session: 5, Seq: 9, AckedBelow: 9}, b.Calls[0].ID)
	_, err = codec.DecodeBatch(sealed([]byte(one("\x0c\x01a"))))
	require.NoError(t, err)
	_, err = codec.DecodeBatch(sealed([]byte(one("\x1e" + actor + "\x02\x02\x01\x01n\x02\x00"))))
	require.NoError(t, err)
	for name, b := range map[string]string{
		"nothing":                       "",
		"version 0":                     "\x00\x00\x00\x00",
		"version 2":                     "\x02\x00\x00\x00",
		"no stamp":                      "\x01",
		"negative stamp":                "\x01\x01\x00\x00",
		"stamp longer than needed":      "\x01\x80\x00\x00\x00",
		"stamp beyond 64 bits":          "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00\x00",
		"stamp of eleven bytes":         "\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00\x00\x00",
		"no actors":                     "\x01\x00",
		"more actors than bytes":        "\x01\x00\x02" + actor + actor[1:],
		"actors without end":            "\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"no calls":                      "\x01\x00\x00\x00",
		"more calls than bytes":         "\x01\x00\x01" + actor + "\x00\x05\x00\x00\x0c\x01a",
		"calls without end":             "\x01\x00\x01" + actor + "\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"actor out of range":            "\x01\x00\x01" + actor + "\x00\x01\x01\x00\x0c\x01a",
		"actor without a table":         "\x01\x00\x00\x00\x01\x00\x00\x0c\x01a",
		"call without a command":        "\x01\x00\x01" + actor + "\x00\x01\x00\x00",
		"no sessions":                   "\x01\x00\x00",
		"session without an id":         withCallID("\x01\x00\x09", "\x01\x00"),
		"session twice":                 withCallID("\x02\x05\x09\x05\x09", "\x01\x00"),
		"session not used":              withCallID("\x02\x05\x09\x06\x09", "\x01\x00"),
		"session out of range":          withCallID("\x01\x05\x09", "\x02\x00"),
		"session without a call id":     withCallID("\x01\x05\x09", "\x00"),
		"call id beyond 64 bits":        withCallID("\x01\x05\x09", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		"kind 0":                        one("\x00"),
		"kind 14":                       one("\x0e\x01a"),
		"kind 38":                       one("\x26\x01a"),
		"query that is empty":           one("\x1e" + actor + "\x02\x01\x00"),
		"query and no rate limits":      one("\x1e" + actor + "\x02\x03\x01q\x00"),
		"rate limits and no query":      one("\x1e" + actor + "\x02\x03\x00\x01\x01n\x02\x00"),
		"origin without a command":      one("\x5a\x00\x00\x00"),
		"origin cut short":              one("\x5a\x00\x01"),
		"origin twice":                  one("\x5a\x00\x00\x00\x5a\x00\x00\x00\x0c\x01a"),
		"link operation 0":              one("\x24\x01a\x00\x00"),
		"link operation 4":              one("\x24\x01a\x04\x00"),
		"slugs more than bytes":         one("\x22\x01a\x09\x00\x00"),
		"trailing byte":                 one("\x0c\x01a\x00"),
		"string shorter than it says":   one("\x0c\x02a"),
		"string length longer":          one("\x0c\x81\x00a"),
		"string without end":            one("\x0c\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a"),
		"bool of 2":                     one("\x07\x01a\x02"),
		"field state 3":                 one("\x0b\x01a\x03\x00\x00\x00\x00"),
		"policy 3":                      one("\x0a\x01a\x01b\x00\x00\x00\x00\x03"),
		"interval 3":                    one("\x0a\x01a\x01b\x00\x01\x00\x03\x02\x00\x00"),
		"day 32":                        one("\x0a\x01a\x01b\x00\x01\x00\x02\x02\x20\x00"),
		"operation 4":                   one("\x08\x01a\x04\x00\x00"),
		"hash too short":                one("\x0d" + actor[1:]),
		"verification without a cost":   one("\x0d" + actor),
		"permissions more than bytes":   one("\x03\x01a" + actor + "\x00\x00\x09\x00\x00\x00"),
		"permissions without end":       one("\x03\x01a" + actor + "\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		"null that is followed by data": one("\x0b\x01a\x01\x01x\x00\x00\x00\x00"),
		"kind 49":                       one("\x31\x01a"),
		"migrated verified by kind 12":  one("\x1a\x0c" + actor + "\x02\x00" + actor + "\x00"),
		"verification with nothing":     one("\x1e" + actor + "\x02\x00"),
		"verification with no limits":   one("\x1e" + actor + "\x02\x02\x00"),
		"verification with bit 2":       one("\x1e" + actor + "\x02\x06\x01\x01n\x02\x00"),
		"rate limits without end":       one("\x1e" + actor + "\x02\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		"ad hoc without a duration":     one("\x1e" + actor + "\x02\x02\x01\x01n\x02\x01\x02"),
	} {
		_, err := codec.DecodeBatch(sealed([]byte(b)))
		require.Error(t, err, name)
	}
}

// No prefix of an encoding, and no encoding with something behind it, decodes: a torn write is never taken for a whole one.
func TestDecode_RefusesEveryPrefixAndSuffix(t *testing.T) {
	torn := func(name string, b []byte, decode func([]byte) error) {
		require.NoError(t, decode(b), name)
		for n := range b {
			require.Error(t, decode(b[:n:n]), "%s cut to %d", name, n)
		}
		require.Error(t, decode(append(bytes.Clone(b), 0)), "%s and a byte", name)
	}
	unsealed := func(decode func([]byte) error) func([]byte) error {
		return func(b []byte) error { return decode(sealed(b)) }
	}
	batch := func(b []byte) error { _, err := codec.DecodeBatch(b); return err }
	result := func(b []byte) error { _, err := codec.DecodeResult(b); return err }

	data := codec.AppendBatch(nil, batchSample())
	torn("batch", data, batch)
	torn("batch with a checksum made to fit", body(data), unsealed(batch))
	for _, r := range allResults() {
		data := codec.AppendResult(nil, r)
		torn(fmt.Sprintf("%T", r), data, result)
		torn(fmt.Sprintf("%T with a checksum made to fit", r), body(data), unsealed(result))
	}
	for _, r := range allRecords() {
		key := codec.AppendRecordKey(nil, r.Key())
		torn(fmt.Sprintf("%T", r), codec.AppendRecord(nil, r), func(b []byte) error {
			_, err := codec.DecodeRecord(key, b)
			return err
		})
	}
}

// The checksum finds every flipped bit.
func TestDecode_RefusesEveryFlippedBit(t *testing.T) {
	batch := codec.AppendBatch(nil, batchSample())
	result := codec.AppendResult(nil, resultSamples[len(resultSamples)-1])
	for n := range 8 * len(batch) {
		batch[n/8] ^= 1 << (n % 8)
		_, err := codec.DecodeBatch(batch)
		require.ErrorContains(t, err, "checksum")
		batch[n/8] ^= 1 << (n % 8)
	}
	for n := range 8 * len(result) {
		result[n/8] ^= 1 << (n % 8)
		_, err := codec.DecodeResult(result)
		require.ErrorContains(t, err, "checksum")
		result[n/8] ^= 1 << (n % 8)
	}
}

// A peer of another version cannot make a node believe in a result it does not know.
func TestDecodeResult_RefusesWhatNoBuildWrites(t *testing.T) {
	for name, b := range map[string]string{
		"nothing":                  "",
		"version 0":                "\x00\x01",
		"version 2":                "\x02\x01",
		"kind 0":                   "\x01\x00",
		"kind 9":                   "\x01\x09",
		"code 14":                  "\x01\x03\x0e\x00\x00",
		"code 49":                  "\x01\x03\x31\x00\x00",
		"code 53":                  "\x01\x03\x35\x00\x00",
		"outcome 11":               "\x01\x08\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"outcome 7":                "\x01\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"no kind":                  "\x01",
		"code past the migrations": "\x01\x03" + string([]byte{byte(fsm.MigrationExists) + 1}) + "\x00\x00",
		"kind 34":                  "\x01\x22",
		"code 0":                   "\x01\x03\x00\x00\x00",
		"code in a gap":            "\x01\x03" + string([]byte{byte(fsm.IDTaken) + 1}) + "\x00\x00",
		"code beyond the last":     "\x01\x03" + string([]byte{byte(fsm.SessionExpired) + 1}) + "\x00\x00",
		"outcome in a gap": "\x01\x08" + string([]byte{byte(fsm.UsageExceeded) + 1}) +
			"\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"outcome beyond the last": "\x01\x08" + string([]byte{byte(fsm.RateLimited) + 1}) +
			"\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"bool of 2":              "\x01\x04\x02\x00\x00",
		"optional of 2":          "\x01\x08\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00",
		"accepted more than are": "\x01\x03\x06\x00\x03\x00\x00",
		"trailing byte":          "\x01\x01\x00",
	} {
		_, err := codec.DecodeResult(sealed([]byte(b)))
		require.Error(t, err, name)
	}
}

// A record that is stored under another's key, or under none, is refused.
func TestDecodeRecord_RefusesAForeignKey(t *testing.T) {
	value := codec.AppendRecord(nil, &fsm.CreditRecord{Owner: "key_1", Remaining: 5})
	_, err := codec.DecodeRecord([]byte("\x5akey_1"), value)
	require.NoError(t, err)
	for _, key := range []string{"", "\x5a", "\x5akey_2", "\x5akey_", "\x5akey_11", "\x50key_1", "\x46key_1", "\x00key_1", "\x5bkey_1"} {
		_, err := codec.DecodeRecord([]byte(key), value)
		require.Error(t, err, "%q", key)
	}
	_, err = codec.DecodeRecord([]byte("\x01x"), codec.AppendRecord(nil, &fsm.MetaRecord{LedgerVersion: 1}))
	require.Error(t, err, "the ledger's own record has an empty id")
	for _, version := range []byte{0, 2} {
		value[0] = version
		_, err = codec.DecodeRecord([]byte("\x5akey_1"), value)
		require.ErrorContains(t, err, "version")
	}
}

// Records are restored in the order of their keys: kinds first, as fsm.Loader wants them.
func TestAppendRecordKey_SortsByKind(t *testing.T) {
	var last []byte
	for _, kind := range []fsm.Kind{
		fsm.MetaKind, fsm.WorkspaceKind, fsm.RootKeyKind, fsm.APIKind, fsm.PermissionKind, fsm.RoleKind, fsm.IdentityKind, fsm.KeyKind,
		fsm.IdentityCreditKind, fsm.KeyCreditKind, fsm.NamespaceKind, fsm.OverrideKind, fsm.WindowKind, fsm.SessionKind,
	} {
		key := codec.AppendRecordKey(nil, fsm.RecordKey{Kind: kind, ID: "\xff"})
		require.Negative(t, bytes.Compare(last, codec.AppendRecordKey(nil, fsm.RecordKey{Kind: kind})))
		require.Negative(t, bytes.Compare(last, key))
		last = key
	}
}

// What was decoded owns its memory: raft and bbolt reuse theirs.
func TestDecode_KeepsNoReferenceToItsInput(t *testing.T) {
	data := codec.AppendBatch(nil, batchSample())
	b, err := codec.DecodeBatch(data)
	require.NoError(t, err)
	clear(data)
	require.Equal(t, batchSample(), b)
	for _, want := range allResults() {
		data := codec.AppendResult(nil, want)
		got, err := codec.DecodeResult(data)
		require.NoError(t, err)
		clear(data)
		require.Equal(t, want, got)
	}
	for _, want := range allRecords() {
		key, data := codec.AppendRecordKey(nil, want.Key()), codec.AppendRecord(nil, want)
		got, err := codec.DecodeRecord(key, data)
		require.NoError(t, err)
		clear(data)
		clear(key)
		require.Equal(t, want, got)
	}
}
