package replay

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/creditd/creditd/scripts/chaos/books"
)

// Report is the verdict on a run.
type Report struct {
	Violations []string
	Undecided  int // balances with too many possibilities to follow
	Replayed   int // answered operations that were carried out again
	Resolved   int // operations of unknown outcome that must have taken effect
}

// Bounds of the search for one balance.
const (
	maxUnknown = 30
	maxShared  = 30      // changes and denials of one balance in one entry
	maxSteps   = 500_000 // within one entry
)

// apply is the ledger in its naive form: what an operation does to a balance, and whether it is denied.
func apply(balance int64, op books.Op) (after int64, denied bool) {
	switch op.Kind {
	case books.Charge:
		if balance < op.Amount {
			return balance, true
		}
		return balance - op.Amount, false
	case books.Grant:
		return balance + op.Amount, false
	case books.Set:
		return op.Amount, false
	case books.Decrement:
		return max(0, balance-op.Amount), false
	default:
		return balance, false
	}
}

// Check replays a whole run.
func Check(owners []books.Owner, ops []books.Op) Report {
	var report Report
	perOwner := make([][]books.Op, len(owners))
	for _, op := range ops {
		perOwner[op.Owner] = append(perOwner[op.Owner], op)
	}
	for i, owner := range owners {
		newTape(owner, perOwner[i], &report).run()
	}
	return report
}

// tape is the replay of one balance.
type tape struct {
	owner   books.Owner
	entries []entry
	unknown []books.Op
	report  *Report
}

// entry is what was answered with one index.
type entry struct {
	index  uint64
	within []books.Op // changes and denials
	reads  []books.Op
}

// moment is one way in which everything up to some point may have gone.
type moment struct {
	balance int64
	used    uint32 // the unknown operations that took effect
}

func newTape(owner books.Owner, ops []books.Op, report *Report) *tape {
	t := &tape{owner: owner, report: report}
	var answered []books.Op
	for _, op := range ops {
		switch {
		case op.Answered():
			answered = append(answered, op)
		case op.Outcome == books.Unknown && op.Kind != books.Read:
			t.unknown = append(t.unknown, op)
		}
	}
	slices.SortStableFunc(answered, func(x, y books.Op) int { return cmp.Compare(x.Index, y.Index) })
	for _, op := range answered {
		if len(t.entries) == 0 || t.entries[len(t.entries)-1].index != op.Index {
			t.entries = append(t.entries, entry{index: op.Index})
		}
		e := &t.entries[len(t.entries)-1]
		if op.Kind == books.Read {
			e.reads = append(e.reads, op)
		} else {
			e.within = append(e.within, op)
		}
	}
	return t
}

func (t *tape) violation(format string, args ...any) {
	t.report.Violations = append(t.report.Violations, "replay of "+t.owner.Name+": "+fmt.Sprintf(format, args...))
}

func (t *tape) run() {
	if len(t.entries) > 0 && t.entries[0].index == 0 {
		t.violation("an answer has no Creditd-Index: %v", append(t.entries[0].within, t.entries[0].reads...)[0])
		return
	}
	if len(t.unknown) > maxUnknown {
		t.report.Undecided++
		return
	}
	now := map[moment]bool{{balance: t.owner.Initial}: true}
	for _, e := range t.entries {
		next, decided := t.follow(now, e)
		if !decided {
			t.report.Undecided++
			return
		}
		if len(next) == 0 {
			t.violation("from balance %v entry %d cannot give the answers %v %v", balances(now), e.index, e.within, e.reads)
			return
		}
		now = next
		t.report.Replayed += len(e.within) + len(e.reads)
	}
	// Whatever was on its way is decided by now, and may have happened after the last answer.
	end := entry{reads: []books.Op{{Kind: books.Read, Balance: t.owner.Final, End: 1<<63 - 1}}}
	last, decided := t.follow(now, end)
	switch {
	case !decided:
		t.report.Undecided++
	case len(last) == 0:
		t.violation("the last answer leaves %v, the end is %d", balances(now), t.owner.Final)
	default:
		certain := ^uint32(0)
		for m := range last {
			certain &= m.used
		}
		for i := range t.unknown {
			t.report.Resolved += int(certain >> i & 1)
		}
	}
}

func balances(moments map[moment]bool) []int64 {
	all := map[int64]bool{}
	for m := range moments {
		all[m.balance] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// step is a moment within an entry, with the operations that have had their turn.
type step struct {
	moment
	done uint32
	late bool // the latest of them was unknown: nobody looked at the balance since
}

// follow returns the moments after an entry, false if there are too many ways through it.
func (t *tape) follow(from map[moment]bool, e entry) (map[moment]bool, bool) {
	if len(e.within) > maxShared {
		return nil, false
	}
	begun := t.sentBy(e)
	all := uint32(1)<<len(e.within) - 1
	to := map[moment]bool{}
	seen := map[step]bool{}
	var open []step
	visit := func(s step) {
		if explained := e.denials(s.balance) &^ s.done; explained != 0 {
			s.done, s.late = s.done|explained, false
		}
		if !seen[s] {
			seen[s] = true
			open = append(open, s)
		}
	}
	for m := range from {
		visit(step{moment: m})
	}
	for len(open) > 0 {
		if len(seen) > maxSteps {
			return nil, false
		}
		s := open[len(open)-1]
		open = open[:len(open)-1]
		// Without a look at the balance afterwards, an unknown operation may as well come with the next entry.
		if s.done == all && (!s.late || len(e.reads) > 0) && e.readable(s.balance) {
			to[s.moment] = true
		}
		for i, op := range e.within {
			if s.done>>i&1 == 1 || op.Outcome == books.Denied {
				continue
			}
			if after, denied := apply(s.balance, op); !denied && after == op.Balance {
				visit(step{moment{after, s.used}, s.done | 1<<i, false})
			}
		}
		for _, i := range begun {
			if s.used>>i&1 == 1 {
				continue
			}
			if after, denied := apply(s.balance, t.unknown[i]); !denied && after != s.balance {
				visit(step{moment{after, s.used | 1<<i}, s.done, true})
			}
		}
	}
	return to, true
}

// sentBy returns the unknown operations that may have taken effect in this entry or before it: those sent before its first answer.
func (t *tape) sentBy(e entry) (begun []int) {
	first := e.firstEnd()
	for i, op := range t.unknown {
		if op.Start < first {
			begun = append(begun, i)
		}
	}
	return begun
}

func (e entry) firstEnd() (first time.Duration) {
	first = 1<<63 - 1
	for _, ops := range [][]books.Op{e.within, e.reads} {
		for _, op := range ops {
			first = min(first, op.End)
		}
	}
	return first
}

// denials returns the denials that this balance explains. They change nothing, so having them at the first chance loses no way.
func (e entry) denials(balance int64) (explained uint32) {
	for i, op := range e.within {
		if _, denied := apply(balance, op); op.Outcome == books.Denied && denied && balance == op.Balance {
			explained |= 1 << i
		}
	}
	return explained
}

func (e entry) readable(balance int64) bool {
	return !slices.ContainsFunc(e.reads, func(op books.Op) bool { return op.Balance != balance })
}
