package fsm

import "github.com/creditd/creditd/fsm/fields"

// maxShown bounds what one answer shows of keys, in bytes, give or take one item: a key that is named a thousand times is shown a
// thousand times. Each permission that is looked at for it counts too, in every role that has it and also where the
// item is refused, so that a batch is bounded work.
const maxShown = 16 << 20

// size is about what a verdict takes in an answer.
func (v *Verdict) size() int {
	const plain = 192 // beside its texts and lists
	m := fields.NewMeasuring()
	v.fields(&m)
	return plain + m.Size()
}

// itemCapacity is whether the new outcomes of a batch's items can be kept. It is decided for the first of them and holds for all: the answer of
// the batch may be kept itself, and one that had run out of room on the way would be told long after there is room. So a batch
// may exceed the limit by what it keeps.
type itemCapacity struct {
	decided bool
	refusal *Refusal
}

func (r *itemCapacity) refuse(s *verifier) *Refusal {
	if !r.decided {
		r.decided, r.refusal = true, s.idempotencyStoreFull()
	}
	return r.refusal
}

// verifyItem carries one item out, or recalls what became of it. It answers with v, unless that has to be kept.
func (s *verifier) verifyItem(root *rootKey, item *Verification, pending *pendingEffects, capacity *itemCapacity, v *Verdict) Result {
	if item.Idempotency != nil {
		if r := s.findItemReplay(root, item); r != nil {
			return r
		}
		s.idempotencyStore.expire(2) // as in checkIdempotencyCapacity
		if refusal := capacity.refuse(s); refusal != nil {
			return refusal
		}
		v = new(Verdict) // not a part of the others, which would be kept with it
	}
	var r Result
	if c, plain := item.Command.(*VerifyKey); plain {
		r = s.verifyKey(root, c, pending, v)
	} else {
		r = s.verifyMigrated(root, item.Command.(*VerifyMigrated), pending, v)
	}
	if _, refused := r.(*Refusal); item.Idempotency != nil && !refused {
		s.storeAnswer(root.workspace, item.Idempotency, r)
	}
	return r
}

// findItemReplay answers an item whose name has an outcome; nil: it has none.
func (s *verifier) findItemReplay(root *rootKey, item *Verification) Result {
	r := s.findReplay(root.workspace, item.Idempotency)
	if replay, ok := r.(*IdempotentReplay); ok {
		v, ok := replay.Result.(*Verdict)
		if !ok {
			return refuse(IdempotencyConflict) // the name of a call that was none of an item
		}
		return v
	}
	return r
}

// peekKeys is verifyKeys if that would change nothing.
func (s *verifier) peekKeys(root *rootKey, c *VerifyKeys, updateLastUsed bool) (Result, bool) {
	if refusal := c.check(); refusal != nil {
		return refusal, true
	}
	p := s.planKeys(root, c, updateLastUsed)
	if p.changes && (p.passed || !c.Atomic) {
		return nil, false
	}
	return p.answer(s.clock), true
}

// pendingEffects is what the items decided so far will do: those after them are decided as if it had been done. Beside it, what their keys may
// do, which no item changes: a key that is named a thousand times is asked once.
type pendingEffects struct {
	debits map[*credit]int64
	tokens map[windowName]int64
	hashes map[Hash]*key // of keys that are taken over from migrations; nil: not the hash of a key any more

	access   map[*key]*VerdictAccess // nil: nothing to tell
	gathered int                     // bytes that the permissions count which were looked at for it
}

// accessOf is what a key may do, as a verification shows it.
func (f *pendingEffects) accessOf(k *key) *VerdictAccess {
	if k.details == nil || k.details.access == nil { // as with most keys: to go on shows
		return nil
	}
	given := *k.details.access
	if f == nil {
		return given.show()
	}
	a, known := f.access[k]
	if known {
		return a
	}
	a = given.show()
	if f.access == nil {
		f.access = make(map[*key]*VerdictAccess)
	}
	f.access[k] = a
	f.gathered += fields.ListedText * given.held()
	return a
}

// keysPlan is what becomes of the items of a VerifyKeys.
type keysPlan struct {
	atomic    bool
	decisions []decision
	refusals  []*Refusal // beside decisions; nil: decided
	replays   []Result   // beside decisions; answers that were given before. Nil: there are none at all
	moves     []*key     // beside decisions; the key that is kept under another hash from then on, nil: none
	items     []Verification
	passed    bool // every item is valid
	changes   bool // carrying them out would change something
}

// planKeys decides about every item and changes nothing. An item is decided as if those before it had been carried out, whether or
// not they will be. Of a batch that is not atomic it decides no further than to the first change; dating: that of a lastUsedAt is one.
func (s *verifier) planKeys(root *rootKey, c *VerifyKeys, updateLastUsed bool) *keysPlan {
	n := len(c.Items)
	p := &keysPlan{
		atomic: c.Atomic, decisions: make([]decision, n), refusals: make([]*Refusal, n), moves: make([]*key, n), items: c.Items, passed: true,
	}
	pending := &pendingEffects{debits: map[*credit]int64{}, tokens: map[windowName]int64{}, hashes: map[Hash]*key{}}
	shown := 0
	for i := range c.Items {
		d := &p.decisions[i]
		if shown+pending.gathered > maxShown {
			p.refusals[i] = refuse(AnswerTooLarge)
		} else if c.Items[i].Idempotency != nil {
			r := s.findItemReplay(root, &c.Items[i])
			if r == nil {
				if p.refusals[i] = s.peekIdempotencyCapacity(); p.refusals[i] != nil {
					p.passed = false
					continue
				}
				p.changes = true
				break
			}
			p.setReplay(i, r)
			if v, ok := r.(*Verdict); ok {
				shown += v.size()
			}
			continue
		} else {
			*d, p.refusals[i], p.moves[i] = s.planItem(root, c.Items[i].Command, pending)
		}
		p.passed = p.passed && p.refusals[i] == nil && d.code == Valid
		p.changes = p.changes || d.debits() || d.takes() || updateLastUsed && s.lastUsedDue(d.key) || p.moves[i] != nil
		if p.changes && !c.Atomic {
			break
		}
		if p.refusals[i] == nil {
			pending.add(d)
			var v Verdict
			d.show(&v, s.clock)
			shown += v.size()
		}
	}
	return p
}

func (p *keysPlan) setReplay(i int, r Result) {
	if p.replays == nil {
		p.replays = make([]Result, len(p.decisions))
	}
	p.replays[i] = r
}

// planItem decides about one item, and says which key it would keep under another hash.
func (s *verifier) planItem(root *rootKey, item Command, pending *pendingEffects) (d decision, refusal *Refusal, moves *key) {
	if c, plain := item.(*VerifyKey); plain {
		d, refusal = s.decide(root, c, pending)
		return d, refusal, nil
	}
	m := item.(*VerifyMigrated)
	if d, refusal, moves = s.planMigratedKey(root, m, pending); moves != nil {
		pending.hashes[m.Hash], pending.hashes[m.Verify.Hash] = nil, moves
	}
	return d, refusal, moves
}

// add takes in what carrying out a decision would do.
func (f *pendingEffects) add(d *decision) {
	if d.takes() {
		for i := range d.limits {
			if c := &d.limits[i]; c.cost > 0 {
				f.tokens[c.window] += c.cost
			}
		}
	}
	if d.debits() {
		f.debits[d.payers.first] += d.cost
		if d.payers.second != nil {
			f.debits[d.payers.second] += d.cost
		}
	}
}

// remaining is payers.remaining after what is foreseen.
func (f *pendingEffects) remaining(p payers, now int64) int64 {
	r := p.first.balance(now) - f.debits[p.first]
	if p.second != nil {
		r = min(r, p.second.balance(now)-f.debits[p.second])
	}
	return r
}

// keyAfter finds a key by its hash, after what is foreseen.
func (s *verifier) keyAfter(h Hash, pending *pendingEffects) *key {
	if pending != nil {
		if k, moved := pending.hashes[h]; moved {
			return k
		}
	}
	return s.keyByHash[h]
}

// executeKeys does what was foreseen of an atomic batch that passes.
func (s *verifier) executeKeys(p *keysPlan) {
	for i := range p.decisions {
		if k := p.moves[i]; k != nil {
			m := p.items[i].Command.(*VerifyMigrated)
			s.rehash(k, m.Verify.Hash, m.Start)
		}
		s.executeDecision(&p.decisions[i])
	}
}

// answer shows what was decided. Where nothing is carried out, balances and windows are shown as they are.
func (p *keysPlan) answer(now int64) *Verdicts {
	a := &Verdicts{Results: make([]Result, len(p.decisions)), Passed: p.atomic && p.passed}
	verdicts := make([]Verdict, len(p.decisions))
	for i := range p.decisions {
		if p.replays != nil && p.replays[i] != nil {
			a.Results[i] = p.replays[i]
			continue
		}
		if r := p.refusals[i]; r != nil {
			a.Results[i] = r
			continue
		}
		d := &p.decisions[i]
		if p.atomic && !p.passed {
			d.cancel(now)
		}
		d.show(&verdicts[i], now)
		a.Results[i] = &verdicts[i]
	}
	return a
}

// cancel makes a decision show what is there now: neither it nor what was foreseen before it will be carried out.
func (d *decision) cancel(now int64) {
	d.cancelled = true
	if d.payers.first != nil {
		d.remaining = d.payers.remaining(now)
	}
}
