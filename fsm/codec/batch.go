package codec

import (
	"errors"
	"fmt"
	"slices"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fields"
)

// batchVersion is the first byte of every batch.
const batchVersion = 1

// AppendBatch appends the encoding of b to buf. Each actor is written once. The capacity of the idempotency store is written only if a call
// may store an answer.
func AppendBatch(buf []byte, b fsm.Batch) []byte {
	v := fields.NewWriter(buf)
	framed(v, batchVersion)
	v.Int(&b.Stamp)
	actors, index := actorsOf(b.Calls)
	v.Length(len(actors))
	for i := range actors {
		v.Hash((*[32]byte)(&actors[i]))
	}
	sessions := sessionsOf(b.Calls)
	v.Length(len(sessions))
	for i := range sessions {
		v.Uint(&sessions[i].id)
		v.Uint(&sessions[i].below)
	}
	v.Length(len(b.Calls))
	for i := range b.Calls {
		var at uint64
		if index != nil {
			at = index[b.Calls[i].Actor]
		}
		v.Uint(&at)
		sessions.write(v, b.Calls[i].ID)
		b.Calls[i].Visit(v)
	}
	if v.Idempotent {
		v.Uint(&b.IdempotencyMaxKeys)
	}
	return seal(v.Bytes(), len(buf))
}

// actorsOf lists the different actors of calls in order of appearance; the index is nil if there is only one.
func actorsOf(calls []fsm.Call) ([]fsm.Hash, map[fsm.Hash]uint64) {
	if len(calls) == 0 {
		return nil, nil
	}
	actors := []fsm.Hash{calls[0].Actor}
	var index map[fsm.Hash]uint64
	for i := 1; i < len(calls); i++ {
		if calls[i].Actor == calls[i-1].Actor {
			continue
		}
		if index == nil {
			index = map[fsm.Hash]uint64{actors[0]: 0}
		}
		if _, ok := index[calls[i].Actor]; !ok {
			index[calls[i].Actor] = uint64(len(actors))
			actors = append(actors, calls[i].Actor)
		}
	}
	return actors, index
}

// DecodeBatch is the inverse of AppendBatch. The batch keeps no reference to data.
func DecodeBatch(data []byte) (fsm.Batch, error) {
	body, err := unseal(data)
	if err != nil {
		return fsm.Batch{}, fmt.Errorf("decode batch: %w", err)
	}
	b, err := decodeBatch(body)
	if err != nil {
		return fsm.Batch{}, fmt.Errorf("decode batch: %w", err)
	}
	return b, nil
}

func decodeBatch(body []byte) (b fsm.Batch, err error) {
	v := fields.NewReader(body)
	if !framed(v, batchVersion) {
		return b, v.Err()
	}
	if v.Int(&b.Stamp); b.Stamp < 0 {
		return b, errors.New("stamp is negative")
	}
	actors, err := readActors(v)
	if err != nil {
		return b, err
	}
	sessions := make(sessionTable, v.Length(0))
	for i := range sessions {
		v.Uint(&sessions[i].id)
		v.Uint(&sessions[i].below)
	}
	if v.Err() == nil && sessions.malformed() {
		return b, errors.New("a session is listed twice or has no id")
	}
	if b.Calls, err = readCalls(v, actors, sessions); err != nil {
		return b, err
	}
	if v.Idempotent {
		v.Uint(&b.IdempotencyMaxKeys)
	}
	if err := v.Finish(); err != nil {
		return b, err
	}
	if !slices.Equal(sessions, sessionsOf(b.Calls)) {
		return b, errors.New("the table of sessions is not the one that the calls need")
	}
	return b, nil
}

func readActors(v *fields.Visitor) ([]fsm.Hash, error) {
	n := v.Length(0)
	if n > len(v.Bytes())/len(fsm.Hash{}) {
		return nil, fields.ErrShort
	}
	actors := make([]fsm.Hash, n)
	for i := range actors {
		v.Hash((*[32]byte)(&actors[i]))
	}
	if listedTwice(actors) {
		return nil, errors.New("an actor is listed twice")
	}
	return actors, nil
}

// readCalls requires that the actors appear in the order of their list, and that each one appears.
func readCalls(v *fields.Visitor, actors []fsm.Hash, sessions sessionTable) ([]fsm.Call, error) {
	seen := uint64(0)
	calls := make([]fsm.Call, v.Length(0))
	for i := range calls {
		var at uint64
		if v.Uint(&at); v.Err() != nil {
			return nil, v.Err()
		}
		if at > seen || at >= uint64(len(actors)) {
			return nil, fmt.Errorf("call %d names actor %d of %d, and %d had their turn", i, at, len(actors), seen)
		}
		seen = max(seen, at+1)
		calls[i].Actor = actors[at]
		calls[i].ID = sessions.read(v)
		if calls[i].Visit(v); v.Err() != nil {
			return nil, fmt.Errorf("call %d: %w", i, v.Err())
		}
	}
	if v.Err() == nil && seen != uint64(len(actors)) {
		return nil, fmt.Errorf("%d of %d actors are not used", uint64(len(actors))-seen, len(actors))
	}
	return calls, nil
}

func listedTwice(actors []fsm.Hash) bool {
	if len(actors) < 2 {
		return false
	}
	different := make(map[fsm.Hash]struct{}, len(actors))
	for _, a := range actors {
		different[a] = struct{}{}
	}
	return len(different) < len(actors)
}
