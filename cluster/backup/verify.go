package backup

import (
	"errors"
	"fmt"
	"io"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/store"
)

// Summary is what a whole file holds.
type Summary struct {
	Header Header
	SHA256 []byte
	Kinds  map[fsm.Kind]int // records by kind
}

// Inspect reads the whole file and checks its SHA-256 and the number of its records. It needs little memory.
func Inspect(from io.Reader, reads store.Versions) (Summary, error) {
	return scan(from, reads, func([]byte, []byte) error { return nil })
}

// Verify is Inspect that also loads the ledger, and compares its digest and the sum of all balances. It needs the memory of a node.
func Verify(from io.Reader, reads store.Versions) (Summary, error) {
	loader := fsm.NewLoader()
	var decoder codec.RecordDecoder
	var r fsm.Record
	s, err := scan(from, reads, func(key, value []byte) (err error) {
		if r, err = decoder.Decode(key, value, r); err != nil {
			return err
		}
		return loader.Add(r)
	})
	if err != nil {
		return s, err
	}
	want, err := codec.DecodeDigest(s.Header.Digest)
	if err != nil {
		return s, err
	}
	state, err := loader.Finish(want)
	if err != nil {
		return s, fmt.Errorf("the ledger in the snapshot is wrong: %w", err)
	}
	if state.ClusterID() != s.Header.ClusterID || state.LedgerVersion() != s.Header.LedgerVersion || state.Clock() != s.Header.LogTime {
		return s, errors.New("the header of the snapshot contradicts the ledger in it")
	}
	return s, nil
}

func scan(from io.Reader, reads store.Versions, visit func(key, value []byte) error) (Summary, error) {
	r, err := NewReader(from, reads)
	if err != nil {
		return Summary{}, err
	}
	s := Summary{Header: r.Header, Kinds: make(map[fsm.Kind]int)}
	for {
		key, value, err := r.Next()
		if errors.Is(err, io.EOF) {
			s.SHA256 = r.SHA256
			return s, nil
		}
		if err != nil {
			return s, err
		}
		s.Kinds[fsm.Kind(key[0])]++
		if err := visit(key, value); err != nil {
			return s, fmt.Errorf("record %d of the snapshot: %w", r.records, err)
		}
	}
}
