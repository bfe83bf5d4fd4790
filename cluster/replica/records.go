package replica

import (
	"errors"
	"fmt"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/store"
)

// Records is the ledger as it was at one index. It reads a snapshot, so it holds nothing of the ledger itself.
type Records struct {
	view    *store.View
	meta    *fsm.MetaRecord
	decoder codec.RecordDecoder
	last    map[fsm.Kind]fsm.Record // of each kind the last, whose memory the next one uses
	key     []byte                  // of Find
}

// OpenRecords reads the newest snapshot. The caller must close it soon: see store.View.
func OpenRecords(from *store.Store) (*Records, error) {
	view, err := from.View()
	if err != nil {
		return nil, err
	}
	r := &Records{view: view}
	meta, err := r.Find(fsm.RecordKey{Kind: fsm.MetaKind})
	if err == nil && meta == nil {
		err = errors.New("the snapshot has no record of the ledger itself")
	}
	if err != nil {
		return nil, errors.Join(err, view.Close())
	}
	r.meta = meta.(*fsm.MetaRecord)
	r.last = make(map[fsm.Kind]fsm.Record) // behind the record of the ledger itself, which stays
	return r, nil
}

// Index is the index of the last entry that is in the records.
func (r *Records) Index() uint64 { return r.view.Index() }

// Clock is the log time of that entry, in Unix ms.
func (r *Records) Clock() int64 { return r.meta.Clock }

// ClusterID is the id of the ledger's cluster.
func (r *Records) ClusterID() string { return r.meta.ClusterID }

// View is the snapshot itself.
func (r *Records) View() *store.View { return r.view }

// Each calls visit for each record of a kind, in the order of ids. visit may call Find. A record is valid until the next of its kind is read.
func (r *Records) Each(kind fsm.Kind, visit func(fsm.Record) error) error {
	return r.view.Records([]byte{byte(kind)}, func(key, value []byte) error {
		record, err := r.decode(key, value)
		if err != nil {
			return err
		}
		return visit(record)
	})
}

// Find finds a record; nil: there is none.
func (r *Records) Find(name fsm.RecordKey) (found fsm.Record, err error) {
	r.key = codec.AppendRecordKey(r.key[:0], name)
	err = r.view.Find(r.key, func(value []byte) (err error) {
		found, err = r.decode(r.key, value)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return found, nil
}

func (r *Records) decode(key, value []byte) (fsm.Record, error) {
	kind := fsm.Kind(key[0])
	record, err := r.decoder.Decode(key, value, r.last[kind])
	if err == nil && r.last != nil {
		r.last[kind] = record
	}
	return record, err
}

// Close ends the reading.
func (r *Records) Close() error { return r.view.Close() }
