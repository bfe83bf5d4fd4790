package store

import (
	"encoding/json"
	"fmt"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
)

// headerFormat grows whenever an older build could misread state.db.
const headerFormat = 1

var (
	bucketRecords  = []byte("records")  // key → CRC32C and value
	bucketSnapshot = []byte("snapshot") // the header, under keyHeader
	keyHeader      = []byte("header")
)

// header describes the snapshot in state.db. One transaction writes header and records, so they always agree.
type header struct {
	Format             int    `json:"format"`
	ID                 string `json:"id"`
	Version            int    `json:"version"` // raft's snapshot version
	Index              uint64 `json:"index"`
	Term               uint64 `json:"term"`
	Configuration      []byte `json:"configuration"`
	ConfigurationIndex uint64 `json:"configuration_index"`
	Digest             []byte `json:"digest"`
	DigestDefinition   uint64 `json:"digest_definition,omitzero"` // absent: 1
	LedgerVersion      uint64 `json:"ledger_version,omitzero"`    // absent: 1
	Build              string `json:"build,omitzero"`             // that raised the ledger version
	Count              int    `json:"count"`
	// Sum is the sum of all records' checksums. With the count and the key order it detects missing and outdated records.
	Sum uint64 `json:"sum"`

	kinds *kindCounts // set by verifyState
}

// kindCounts are the numbers of records by the first byte of their keys.
type kindCounts [256]int

func (h *header) ledger() Ledger {
	return Ledger{Digest: h.Digest, DigestDefinition: max(1, h.DigestDefinition), Version: max(1, h.LedgerVersion), Build: h.Build}
}

// setLedger leaves out the first versions: builds that knew no others wrote none.
func (h *header) setLedger(l Ledger) {
	h.Digest, h.DigestDefinition, h.LedgerVersion, h.Build = l.Digest, 0, 0, l.Build
	if l.DigestDefinition > 1 {
		h.DigestDefinition = l.DigestDefinition
	}
	if l.Version > 1 {
		h.LedgerVersion = l.Version
	}
}

func (h *header) encode() ([]byte, error) {
	value, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	return appendSealed(nil, keyHeader, value), nil
}

func decodeHeader(path string, stored []byte) (*header, error) {
	value, ok := unseal(keyHeader, stored)
	if !ok {
		return nil, damaged(path, "the header fails its checksum")
	}
	h := &header{}
	if err := json.Unmarshal(value, h); err != nil {
		return nil, damaged(path, "the header cannot be decoded (%v)", err)
	}
	if h.Format > headerFormat {
		return nil, &Error{Kind: KindNewer, Path: path,
			Message: fmt.Sprintf("the snapshot has format %d; this build reads formats up to %d: %s", h.Format, headerFormat, startNewer)}
	}
	return h, nil
}

// readHeader returns nil for a file without a snapshot.
func readHeader(path string, tx *bbolt.Tx) (*header, error) {
	b := tx.Bucket(bucketSnapshot)
	if b == nil || tx.Bucket(bucketRecords) == nil {
		return nil, damaged(path, "a bucket is missing")
	}
	stored := b.Get(keyHeader)
	if stored == nil {
		return nil, nil
	}
	return decodeHeader(path, stored)
}

func writeHeader(tx *bbolt.Tx, h *header) error {
	stored, err := h.encode()
	if err != nil {
		return err
	}
	return tx.Bucket(bucketSnapshot).Put(keyHeader, stored)
}

// snapshotMeta returns raft's form of the header. size is that of the whole file.
func (h *header) snapshotMeta(path string, size int64) (_ *raft.SnapshotMeta, err error) {
	defer recoverDamage(path, &err) // DecodeConfiguration panics
	return &raft.SnapshotMeta{
		Version: raft.SnapshotVersion(h.Version), ID: h.ID, Index: h.Index, Term: h.Term,
		Configuration: raft.DecodeConfiguration(h.Configuration), ConfigurationIndex: h.ConfigurationIndex, Size: size,
	}, nil
}

// verifyState checks a state.db on disk without bbolt. It checks pages, buckets, header, every record, the count and the sum, and the
// ledger version. For a file without a snapshot it returns no header and no error.
func verifyState(path string, reads Versions) (*header, error) {
	var h *header
	var count int
	var sum uint64
	kinds := new(kindCounts)
	err := walkPages(path, func(bucket, key, value []byte) error {
		switch string(bucket) {
		case string(bucketRecords):
			if _, ok := unseal(key, value); !ok || len(key) == 0 {
				return damaged(path, "a record fails its checksum")
			}
			count++
			kinds[key[0]]++
			sum += uint64(sealOf(value))
			return nil
		case string(bucketSnapshot):
			if string(key) != string(keyHeader) {
				return damaged(path, "an unknown header %q", key)
			}
			var err error
			h, err = decodeHeader(path, value)
			return err
		}
		return damaged(path, "an unknown bucket %q", bucket)
	})
	if err != nil {
		return nil, err
	}
	var want header
	if h != nil {
		want = *h
		if err := reads.CheckLedger(path, "the snapshot", h.ledger()); err != nil {
			return nil, err
		}
	}
	if count != want.Count || sum != want.Sum {
		return nil, damaged(path, "the header promises %d records with sum %x, the file has %d with %x", want.Count, want.Sum, count, sum)
	}
	if h != nil {
		h.kinds = kinds
	}
	return h, nil
}
