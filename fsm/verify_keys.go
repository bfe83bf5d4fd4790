package fsm

import "github.com/creditd/creditd/fsm/fields"

// maxShown is about how many bytes one answer may show of keys: a request may name one key a thousand times. Every permission that is read
// for it counts, also for a refused item, so that a request is bounded work.
const maxShown = 16 << 20

// maxVerifyWork is about the nanoseconds that the items of one request may take, from ledger version 3 on [D-33]. The item that exceeds it is
// decided; those after it are refused.
const maxVerifyWork = 4_000_000

// What the parts of an item cost of maxVerifyWork.
const (
	itemWork   = 500
	lookupWork = 50  // of an operand of a query in one list
	checkWork  = 300 // of a rate limit
)

// spend adds to the work that the items took; without a batch there is nothing to add to.
func (f *pendingEffects) spend(work int) {
	if f != nil {
		f.work += work
	}
}

// exhausted reports whether the next item is refused: the answer would be too large, or the request would hold up all others.
func (s *verifier) exhausted(f *pendingEffects, shown int) bool {
	f.spend(itemWork)
	return shown+f.gathered > maxShown || s.version >= thirdRules && f.work > maxVerifyWork
}

// size is roughly the size of a verdict in an answer.
func (v *Verdict) size() int {
	const plain = 192 // without its texts and lists
	m := fields.NewMeasuring()
	v.fields(&m)
	return plain + m.Size()
}

// itemCapacity says whether the items of a batch may store answers. The first such item decides for all: a batch that fails half-way would
// store that answer too. So a batch may exceed the capacity by its own answers.
type itemCapacity struct {
	decided bool
	refusal *Refusal
}

func (r *itemCapacity) refuse(s *verifier, w *workspace) *Refusal {
	if !r.decided {
		r.decided, r.refusal = true, s.idempotencyStoreFull(w)
	}
	return r.refusal
}

// verifyItem executes one item, or returns its stored answer. It returns v, unless the answer is stored.
func (s *verifier) verifyItem(root *rootKey, item *Verification, pending *pendingEffects, capacity *itemCapacity, v *Verdict) Result {
	if item.Idempotency != nil {
		if r := s.findItemReplay(root, item); r != nil {
			return r
		}
		s.idempotencyStore.expire(2) // as checkIdempotencyCapacity does
		if refusal := capacity.refuse(s, root.workspace); refusal != nil {
			return refusal
		}
		v = new(Verdict) // not in the shared slice, which the store would keep alive
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

// findItemReplay answers an item from its idempotency record; nil: there is none.
func (s *verifier) findItemReplay(root *rootKey, item *Verification) Result {
	r := s.findReplay(root.workspace, item.Idempotency)
	if replay, ok := r.(*IdempotentReplay); ok {
		v, ok := replay.Result.(*Verdict)
		if !ok {
			return refuse(IdempotencyConflict) // the key belongs to a call that was not an item
		}
		return v
	}
	return r
}

// peekKeys answers a VerifyKeys that would change nothing.
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

// pendingEffects are the effects of the items that were decided but not executed. Later items are decided as if they had happened. It also
// caches the access of keys, which no item changes.
type pendingEffects struct {
	debits map[*credit]int64
	tokens map[windowName]int64
	hashes map[Hash]*key // of keys that were rehashed; nil: no key has the hash any more

	access   map[*key]*VerdictAccess // nil: none
	gathered int                     // bytes of the permissions that were read
	work     int                     // see maxVerifyWork
}

func newPendingEffects() *pendingEffects {
	return &pendingEffects{debits: map[*credit]int64{}, tokens: map[windowName]int64{}, hashes: map[Hash]*key{}}
}

// accessOf returns the access of a key as a verdict shows it. See permissionNames for links.
func (f *pendingEffects) accessOf(k *key, links int) *VerdictAccess {
	if k.details == nil || k.details.access == nil { // most keys; looking further would be slower
		return nil
	}
	given := *k.details.access
	if f == nil {
		return given.show(links)
	}
	a, known := f.access[k]
	if known {
		return a
	}
	a = given.show(links)
	if f.access == nil {
		f.access = make(map[*key]*VerdictAccess)
	}
	f.access[k] = a
	held := min(given.held(), links)
	f.gathered += fields.ListedText * held
	f.spend(gatheredLink * held)
	return a
}

// keysPlan is what becomes of the items of a VerifyKeys.
type keysPlan struct {
	atomic    bool
	decisions []decision
	refusals  []*Refusal // parallel to decisions; nil: decided
	replays   []Result   // parallel to decisions; stored answers. Nil slice: there are none
	moves     []*key     // parallel to decisions; the key that the item rehashes; nil: none
	items     []Verification
	passed    bool // every item is valid
	changes   bool // executing them would change something
}

// planKeys decides every item and changes nothing. Each item is decided as if the earlier ones had been executed. Without Atomic it stops
// at the first change. With updateLastUsed, a new lastUsedAt is a change.
func (s *verifier) planKeys(root *rootKey, c *VerifyKeys, updateLastUsed bool) *keysPlan {
	n := len(c.Items)
	p := &keysPlan{
		atomic: c.Atomic, decisions: make([]decision, n), refusals: make([]*Refusal, n), moves: make([]*key, n), items: c.Items, passed: true,
	}
	pending := newPendingEffects()
	shown := 0
	for i := range c.Items {
		d := &p.decisions[i]
		if s.exhausted(pending, shown) {
			p.refusals[i] = refuse(AnswerTooLarge)
		} else if c.Items[i].Idempotency != nil {
			r := s.findItemReplay(root, &c.Items[i])
			if r == nil {
				if p.refusals[i] = s.peekIdempotencyCapacity(root.workspace); p.refusals[i] != nil {
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
		p.changes = p.changes || s.changes(d, updateLastUsed) || p.moves[i] != nil
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

// planItem decides one item, and returns the key that it would rehash.
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

// add adds the effects of a decision.
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

// remaining is payers.remaining after the pending effects.
func (f *pendingEffects) remaining(p payers, now int64) int64 {
	r := p.first.balance(now) - f.debits[p.first]
	if p.second != nil {
		r = min(r, p.second.balance(now)-f.debits[p.second])
	}
	return r
}

// keyAfter finds a key by its hash, after the pending effects.
func (s *verifier) keyAfter(h Hash, pending *pendingEffects) *key {
	if pending != nil {
		if k, moved := pending.hashes[h]; moved {
			return k
		}
	}
	return s.holder(h)
}

// executeKeys executes an atomic batch that passes.
func (s *verifier) executeKeys(p *keysPlan) {
	for i := range p.decisions {
		if k := p.moves[i]; k != nil {
			m := p.items[i].Command.(*VerifyMigrated)
			s.rehash(k, m.Verify.Hash, m.Start)
		}
		s.executeDecision(&p.decisions[i])
	}
}

// answer returns the decisions. If nothing is executed, it shows present balances and windows.
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

// cancel makes a decision show the present state: the batch will not be executed.
func (d *decision) cancel(now int64) {
	d.cancelled = true
	if d.payers.first != nil {
		d.remaining = d.payers.remaining(now)
	}
}
