package codec

import (
	"fmt"
	"slices"

	"github.com/creditd/creditd/fsm"
)

// batchVersion is the first byte of every batch.
const batchVersion = 1

// AppendBatch appends the encoding of b to buf. An actor that sends many calls is written once, and the bound on outcomes only where a
// call will have one that is kept.
func AppendBatch(buf []byte, b fsm.Batch) []byte {
	c := coder{buf: buf}
	version := byte(batchVersion)
	c.byte(&version)
	c.int(&b.Stamp)
	actors, index := actorsOf(b.Calls)
	c.length(len(actors))
	for i := range actors {
		c.hash(&actors[i])
	}
	sessions := sessionsOf(b.Calls)
	c.length(len(sessions))
	for i := range sessions {
		c.uint(&sessions[i].id)
		c.uint(&sessions[i].below)
	}
	c.length(len(b.Calls))
	for i := range b.Calls {
		var at uint64
		if index != nil {
			at = index[b.Calls[i].Actor]
		}
		c.uint(&at)
		sessions.write(&c, b.Calls[i].Ticket)
		c.once(&b.Calls[i].Once)
		c.call(&b.Calls[i], nil)
	}
	if c.named {
		c.uint(&b.MaxOutcomes)
	}
	return seal(c.buf, len(buf))
}

// actorsOf lists the different actors of calls in order of appearance; the index is nil when there is only one.
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
	c := coder{buf: body, reading: true}
	var version byte
	if c.byte(&version); version != batchVersion {
		return b, fmt.Errorf("version is %d, this build reads %d", version, batchVersion)
	}
	c.int(&b.Stamp)
	if b.Stamp < 0 {
		return b, fmt.Errorf("stamp is negative")
	}
	n := c.length(0)
	if n > len(c.buf)/len(fsm.Hash{}) {
		return b, errShort
	}
	actors := make([]fsm.Hash, n)
	for i := range actors {
		c.hash(&actors[i])
	}
	if repeated(actors) {
		return b, fmt.Errorf("an actor is listed twice")
	}
	sessions := make(sessionTable, c.length(0))
	for i := range sessions {
		c.uint(&sessions[i].id)
		c.uint(&sessions[i].below)
	}
	if c.err == nil && sessions.malformed() {
		return b, fmt.Errorf("a session is listed twice or has no id")
	}
	seen := uint64(0)
	b.Calls = make([]fsm.Call, c.length(0))
	var verifications slab
	for i := range b.Calls {
		var at uint64
		if c.uint(&at); c.err != nil {
			break
		}
		if at > seen || at >= uint64(len(actors)) {
			return b, fmt.Errorf("call %d names actor %d of %d, of which %d had their turn", i, at, len(actors), seen)
		}
		seen = max(seen, at+1)
		b.Calls[i].Actor = actors[at]
		b.Calls[i].Ticket = sessions.read(&c)
		c.once(&b.Calls[i].Once)
		if c.call(&b.Calls[i], &verifications); c.err != nil {
			return b, fmt.Errorf("call %d: %w", i, c.err)
		}
	}
	if c.named {
		c.uint(&b.MaxOutcomes)
	}
	if err := c.finish(); err != nil {
		return b, err
	}
	if seen != uint64(len(actors)) {
		return b, fmt.Errorf("%d of %d actors are not used", uint64(len(actors))-seen, len(actors))
	}
	if !slices.Equal(sessions, sessionsOf(b.Calls)) {
		return b, fmt.Errorf("the table of sessions is not the one that the calls need")
	}
	return b, nil
}

func repeated(actors []fsm.Hash) bool {
	if len(actors) < 2 {
		return false
	}
	different := make(map[fsm.Hash]struct{}, len(actors))
	for _, a := range actors {
		different[a] = struct{}{}
	}
	return len(different) < len(actors)
}

// slab hands out verifications from larger allocations: batches consist mostly of them.
type slab struct{ free []fsm.VerifyKey }

func (s *slab) next() *fsm.VerifyKey {
	if len(s.free) == 0 {
		s.free = make([]fsm.VerifyKey, 64)
	}
	v := &s.free[0]
	s.free = s.free[1:]
	return v
}
