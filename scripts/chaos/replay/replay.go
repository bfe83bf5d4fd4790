package replay

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/creditd/creditd/scripts/chaos/history"
)

// Report is what the check of a run found.
type Report struct {
	Violations []string
	Undecided  int // accounts with too many possibilities to follow
	Replayed   int // answered operations that were executed again
	Resolved   int // operations of unknown outcome that must have been executed
}

// Bounds of the search for one account.
const (
	maxUnknown = 30
	maxShared  = 30      // changes and denials of one account in one entry
	maxSteps   = 500_000 // within one entry
)

// apply is the ledger in its simplest form: what an operation does to a balance, and whether it is denied.
func apply(balance int64, op history.Operation) (after int64, denied bool) {
	switch op.Kind {
	case history.Debit:
		if balance < op.Amount {
			return balance, true
		}
		return balance - op.Amount, false
	case history.Increment:
		return balance + op.Amount, false
	case history.Set:
		return op.Amount, false
	case history.Decrement:
		return max(0, balance-op.Amount), false
	default:
		return balance, false
	}
}

// Check checks a whole run.
func Check(accounts []history.Account, ops []history.Operation) Report {
	report := Report{Violations: checkOrder(accounts, ops)}
	perAccount := make([][]history.Operation, len(accounts))
	for _, op := range ops {
		perAccount[op.Account] = append(perAccount[op.Account], op)
		if op.Outcome == history.Broken {
			report.Violations = append(report.Violations, fmt.Sprintf("%s: %v", accounts[op.Account].Name, op))
		}
	}
	for i, account := range accounts {
		newBalanceLog(account, perAccount[i], &report).run()
	}
	return report
}

// balanceLog is the replay of one account.
type balanceLog struct {
	account history.Account
	entries []entry
	unknown []history.Operation
	report  *Report
}

// entry is what was answered with one index.
type entry struct {
	index  uint64
	within []history.Operation // changes and denials
	reads  []history.Operation
}

// state is one way in which everything up to some point may have happened.
type state struct {
	balance int64
	used    uint32 // the unknown operations that were executed
}

func newBalanceLog(account history.Account, ops []history.Operation, report *Report) *balanceLog {
	b := &balanceLog{account: account, report: report}
	var answered []history.Operation
	for _, op := range ops {
		switch {
		case op.Answered():
			answered = append(answered, op)
		case op.Outcome == history.Unknown && op.Kind != history.Read:
			b.unknown = append(b.unknown, op)
		}
	}
	slices.SortStableFunc(answered, func(x, y history.Operation) int { return cmp.Compare(x.Index, y.Index) })
	for _, op := range answered {
		if len(b.entries) == 0 || b.entries[len(b.entries)-1].index != op.Index {
			b.entries = append(b.entries, entry{index: op.Index})
		}
		e := &b.entries[len(b.entries)-1]
		if op.Kind == history.Read {
			e.reads = append(e.reads, op)
		} else {
			e.within = append(e.within, op)
		}
	}
	return b
}

func (b *balanceLog) violation(format string, args ...any) {
	b.report.Violations = append(b.report.Violations, "replay of "+b.account.Name+": "+fmt.Sprintf(format, args...))
}

func (b *balanceLog) run() {
	if len(b.entries) > 0 && b.entries[0].index == 0 {
		b.violation("an answer has no Creditd-Index: %v", append(b.entries[0].within, b.entries[0].reads...)[0])
		return
	}
	if len(b.unknown) > maxUnknown {
		b.report.Undecided++
		return
	}
	now := map[state]bool{{balance: b.account.Initial}: true}
	for _, e := range b.entries {
		after, decided := b.next(now, e)
		if !decided {
			b.report.Undecided++
			return
		}
		if len(after) == 0 {
			b.violation("from balance %v entry %d cannot give the answers %v %v", balances(now), e.index, e.within, e.reads)
			return
		}
		now = after
		b.report.Replayed += len(e.within) + len(e.reads)
	}
	// Whatever was on its way is decided by now, and may have happened after the last answer.
	end := entry{reads: []history.Operation{{Kind: history.Read, Balance: b.account.Final, End: 1<<63 - 1}}}
	last, decided := b.next(now, end)
	switch {
	case !decided:
		b.report.Undecided++
	case len(last) == 0:
		b.violation("the last answer leaves %v, the end is %d", balances(now), b.account.Final)
	default:
		certain := ^uint32(0)
		for m := range last {
			certain &= m.used
		}
		for i := range b.unknown {
			b.report.Resolved += int(certain >> i & 1)
		}
	}
}

func balances(states map[state]bool) []int64 {
	all := map[int64]bool{}
	for m := range states {
		all[m.balance] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// step is a state within an entry, with the operations that have had their turn.
type step struct {
	state
	done uint32
	late bool // the latest of them was unknown: nobody looked at the balance since
}

// next returns the states after an entry, false if there are too many ways through it.
func (b *balanceLog) next(from map[state]bool, e entry) (map[state]bool, bool) {
	if len(e.within) > maxShared {
		return nil, false
	}
	begun := b.sentBy(e)
	all := uint32(1)<<len(e.within) - 1
	to := map[state]bool{}
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
		visit(step{state: m})
	}
	for len(open) > 0 {
		if len(seen) > maxSteps {
			return nil, false
		}
		s := open[len(open)-1]
		open = open[:len(open)-1]
		// Without a look at the balance afterwards, an unknown operation may as well come with the next entry.
		if s.done == all && (!s.late || len(e.reads) > 0) && e.readable(s.balance) {
			to[s.state] = true
		}
		for i, op := range e.within {
			if s.done>>i&1 == 1 || op.Outcome == history.Denied {
				continue
			}
			if after, denied := apply(s.balance, op); !denied && after == op.Balance {
				visit(step{state{after, s.used}, s.done | 1<<i, false})
			}
		}
		for _, i := range begun {
			if s.used>>i&1 == 1 {
				continue
			}
			if after, denied := apply(s.balance, b.unknown[i]); !denied && after != s.balance {
				visit(step{state{after, s.used | 1<<i}, s.done, true})
			}
		}
	}
	return to, true
}

// sentBy returns the unknown operations that may have been executed in this entry or before it: those sent before its first answer.
func (b *balanceLog) sentBy(e entry) (begun []int) {
	first := e.firstEnd()
	for i, op := range b.unknown {
		if op.Start < first {
			begun = append(begun, i)
		}
	}
	return begun
}

func (e entry) firstEnd() (first time.Duration) {
	first = 1<<63 - 1
	for _, ops := range [][]history.Operation{e.within, e.reads} {
		for _, op := range ops {
			first = min(first, op.End)
		}
	}
	return first
}

// denials returns the denials that this balance explains. They change nothing, so having them at the first chance loses no way.
func (e entry) denials(balance int64) (explained uint32) {
	for i, op := range e.within {
		if _, denied := apply(balance, op); op.Outcome == history.Denied && denied && balance == op.Balance {
			explained |= 1 << i
		}
	}
	return explained
}

func (e entry) readable(balance int64) bool {
	return !slices.ContainsFunc(e.reads, func(op history.Operation) bool { return op.Balance != balance })
}
