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
func AppendBatch(buf []byte, b fsm.Batch) []byte { return new(Coder).AppendBatch(buf, b) }

// AppendBatch is the function AppendBatch.
func (c *Coder) AppendBatch(buf []byte, b fsm.Batch) []byte {
	defer c.rest()
	v := c.writer(buf)
	framed(v, batchVersion)
	v.Int(&b.Stamp)
	var fewActors [few]fsm.Hash
	actors, index := actorsOf(b.Calls, fewActors[:0])
	v.Length(len(actors))
	for i := range actors {
		v.Hash((*[32]byte)(&actors[i]))
	}
	var fewSessions [few]sessionEntry
	sessions := sessionsOf(b.Calls, fewSessions[:0])
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

// actorsOf lists the different actors of calls in order of appearance, in the room; the index is nil if there is only one.
func actorsOf(calls []fsm.Call, room []fsm.Hash) ([]fsm.Hash, map[fsm.Hash]uint64) {
	if len(calls) == 0 {
		return nil, nil
	}
	actors := append(room, calls[0].Actor)
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
func DecodeBatch(data []byte) (fsm.Batch, error) { return new(Coder).DecodeBatch(data) }

// DecodeBatch is the function DecodeBatch for a batch whose calls and verifications are valid until the coder decodes another one or forgets it.
func (c *Coder) DecodeBatch(data []byte) (fsm.Batch, error) {
	c.Forget()
	return c.decodeBatch(data, &c.verifications)
}

// DecodeCall decodes a batch of one call.
func (c *Coder) DecodeCall(data []byte) (call fsm.Call, err error) {
	c.Forget()
	defer c.Forget()
	b, err := c.decodeBatch(data, nil)
	if err != nil {
		return call, err
	}
	if len(b.Calls) != 1 {
		return call, errors.New("decode batch: not one call")
	}
	return b.Calls[0], nil
}

// decodeBatch takes verifications from their memory, or allocates each of them without one.
func (c *Coder) decodeBatch(data []byte, verifications *fsm.Verifications) (b fsm.Batch, err error) {
	defer c.rest()
	body, err := unseal(data)
	if err == nil {
		v := c.reader(body)
		if verifications != nil {
			v.Pool = verifications
		}
		b, err = c.readBatch(v)
	}
	if err != nil {
		return fsm.Batch{}, fmt.Errorf("decode batch: %w", err)
	}
	return b, nil
}

func (c *Coder) readBatch(v *fields.Visitor) (b fsm.Batch, err error) {
	if !framed(v, batchVersion) {
		return b, v.Err()
	}
	if v.Int(&b.Stamp); b.Stamp < 0 {
		return b, errors.New("stamp is negative")
	}
	var fewActors [few]fsm.Hash
	actors, err := readActors(v, fewActors[:])
	if err != nil {
		return b, err
	}
	var fewSessions, fewNeeded [few]sessionEntry
	sessions := sessionTable(upTo(v.Length(0), fewSessions[:]))
	for i := range sessions {
		v.Uint(&sessions[i].id)
		v.Uint(&sessions[i].below)
	}
	if v.Err() == nil && sessions.malformed() {
		return b, errors.New("a session is listed twice or has no id")
	}
	c.calls = upTo(v.Length(0), c.calls[:cap(c.calls)])
	if err := readCalls(v, c.calls, actors, sessions); err != nil {
		return b, err
	}
	b.Calls = c.calls
	if v.Idempotent {
		v.Uint(&b.IdempotencyMaxKeys)
	}
	if err := v.Finish(); err != nil {
		return b, err
	}
	if !slices.Equal(sessions, sessionsOf(b.Calls, fewNeeded[:0])) {
		return b, errors.New("the table of sessions is not the one that the calls need")
	}
	return b, nil
}

// few is how many actors and sessions of a batch have room on the stack.
const few = 8

// upTo returns n elements: the first ones of those that are there, or new ones.
func upTo[T any](n int, there []T) []T {
	if n <= len(there) {
		return there[:n]
	}
	return make([]T, n)
}

func readActors(v *fields.Visitor, room []fsm.Hash) ([]fsm.Hash, error) {
	n := v.Length(0)
	if n > len(v.Bytes())/len(fsm.Hash{}) {
		return nil, fields.ErrShort
	}
	actors := upTo(n, room)
	for i := range actors {
		v.Hash((*[32]byte)(&actors[i]))
	}
	if listedTwice(actors) {
		return nil, errors.New("an actor is listed twice")
	}
	return actors, nil
}

// readCalls requires that the actors appear in the order of their list, and that each one appears.
func readCalls(v *fields.Visitor, calls []fsm.Call, actors []fsm.Hash, sessions sessionTable) error {
	seen := uint64(0)
	for i := range calls {
		var at uint64
		if v.Uint(&at); v.Err() != nil {
			return v.Err()
		}
		if at > seen || at >= uint64(len(actors)) {
			return fmt.Errorf("call %d names actor %d of %d, and %d had their turn", i, at, len(actors), seen)
		}
		seen = max(seen, at+1)
		calls[i].Actor = actors[at]
		calls[i].ID = sessions.read(v)
		if calls[i].Visit(v); v.Err() != nil {
			return fmt.Errorf("call %d: %w", i, v.Err())
		}
	}
	if v.Err() == nil && seen != uint64(len(actors)) {
		return fmt.Errorf("%d of %d actors are not used", uint64(len(actors))-seen, len(actors))
	}
	return nil
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
