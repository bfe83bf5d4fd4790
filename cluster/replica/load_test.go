package replica

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/store"
)

// list is a snapshot in memory.
type list struct {
	store.RecordReader
	records []fsm.Record
	damaged int   // the value of this one is not whole; 0: none
	fails   error // after the last record
	read    int
}

func (l *list) Count() int       { return len(l.records) }
func (l *list) CountOf(byte) int { return 0 }

func (l *list) Ledger() store.Ledger {
	return store.Ledger{Digest: codec.AppendDigest(nil, fsm.Digest{A: 1, B: 2})}
}

func (l *list) Records(fn func(key, value []byte) error) error {
	for i, r := range l.records {
		value := codec.AppendRecord(nil, r)
		if i == l.damaged && i > 0 {
			value = value[1:]
		}
		l.read++
		if err := fn(codec.AppendRecordKey(nil, r.Key()), value); err != nil {
			return err
		}
	}
	return l.fails
}

// manyRecords is a ledger with more records than may be under way at once.
func manyRecords() []fsm.Record {
	records := []fsm.Record{&fsm.MetaRecord{ClusterID: "cl_1", LedgerVersion: 1}, &fsm.WorkspaceRecord{ID: "ws_1"}, &fsm.APIRecord{ID: "api_1", WorkspaceID: "ws_1"}}
	for i := range maxDecoders * spareChunks * recordsInChunk * 3 {
		id := fmt.Sprintf("key_%08d", i)
		records = append(records, &fsm.KeyRecord{ID: id, Hash: rigHash(i), APIID: "api_1", Start: id, Permissions: nil})
	}
	return records
}

// Whatever is wrong with a snapshot, the first error ends the load, and nobody waits for what comes behind it.
func TestLoad_EndsWithTheFirstError(t *testing.T) {
	records := manyRecords()
	read := errors.New("the disk failed")
	for name, test := range map[string]struct {
		from  list
		says  string
		whole bool
	}{
		"no record is like this":   {list{records: records, damaged: 5000}, "decode record", false},
		"the ledger refuses one":   {list{records: append(records[:1:1], records[2:]...)}, "refers to a record that is missing", false},
		"the end cannot be read":   {list{records: records, fails: read}, read.Error(), true},
		"the digest is another":    {list{records: records}, "digest is", true},
		"nothing can be read":      {list{fails: read}, read.Error(), true},
		"the ledger itself is not": {list{records: records[1:2]}, "own record", true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(&test.from)
			require.ErrorContains(t, err, test.says)
			require.Equal(t, test.whole, test.from.read == len(test.from.records))
		})
	}
}
