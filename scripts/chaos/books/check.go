package books

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Report is the verdict on a run.
type Report struct {
	Violations []string
	Undecided  int // balances with too many changes in one entry to try every order
	Resolved   int // steps that only changes of unknown outcome explain
}

// Check judges a whole run.
func Check(owners []Owner, ops []Op) Report {
	var report Report
	perOwner := make([][]Op, len(owners))
	for _, op := range ops {
		perOwner[op.Owner] = append(perOwner[op.Owner], op)
	}
	for i, owner := range owners {
		newAudit(owner, perOwner[i], &report).run()
	}
	checkRealTime(owners, ops, &report)
	return report
}

// audit is the check of one balance.
type audit struct {
	owner   Owner
	ops     []Op
	chain   []Op // answered changes, by index
	unknown []Op // changes of unknown outcome, by Start
	sums    map[int]sums
	report  *Report
}

func newAudit(owner Owner, ops []Op, report *Report) *audit {
	a := &audit{owner: owner, ops: ops, report: report, sums: map[int]sums{}}
	for _, op := range ops {
		switch {
		case op.Changed():
			a.chain = append(a.chain, op)
		case op.Outcome == Unknown && op.changes():
			a.unknown = append(a.unknown, op)
		}
	}
	slices.SortFunc(a.unknown, func(x, y Op) int { return cmp.Compare(x.Start, y.Start) })
	slices.SortStableFunc(a.chain, func(x, y Op) int { return cmp.Compare(x.Index, y.Index) })
	return a
}

func (a *audit) run() {
	a.checkAnswers()
	if a.owner.Reset {
		return
	}
	a.checkTotals()
	if slices.ContainsFunc(a.chain, func(op Op) bool { return op.Index == 0 }) {
		a.violation("an answered change has no Creditd-Index")
		return
	}
	if entries := a.entries(); a.replay(entries) {
		a.checkObservations(entries)
	}
}

func (a *audit) violation(format string, args ...any) {
	a.report.Violations = append(a.report.Violations, a.owner.Name+": "+fmt.Sprintf(format, args...))
}

// checkAnswers looks at each answer alone.
func (a *audit) checkAnswers() {
	for _, op := range a.ops {
		switch {
		case op.Outcome == Broken:
			a.violation("%v", op)
		case op.Outcome <= Denied && op.Balance < 0:
			a.violation("a negative balance: %v", op)
		case op.Outcome == Denied && op.Balance >= op.Amount:
			a.violation("denied although the balance suffices: %v", op)
		}
	}
	if a.owner.Final < 0 {
		a.violation("the final balance is %d", a.owner.Final)
	}
}

// checkTotals is conservation: what is missing at the end was charged, and what is too much was granted.
func (a *audit) checkTotals() {
	expected := a.owner.Initial
	for _, op := range a.chain {
		expected += op.delta()
	}
	if difference := a.owner.Final - expected; !a.explains(difference, len(a.unknown)) {
		a.violation("%d at the end where the answered changes leave %d; the difference %d is no sum of unknown changes %v",
			a.owner.Final, expected, difference, deltas(a.unknown))
	}
}

func deltas(ops []Op) []int64 {
	var all []int64
	for _, op := range ops {
		all = append(all, op.delta())
	}
	return all
}

// explains reports whether some of the first count unknown changes add up to step.
func (a *audit) explains(step int64, count int) bool {
	if step == 0 {
		return true
	}
	known, found := a.sums[count]
	if !found {
		known = sumsOf(deltas(a.unknown[:count]))
		a.sums[count] = known
	}
	return known.contain(step)
}

// sentBefore counts the unknown changes that may have taken effect before t.
func (a *audit) sentBefore(t time.Duration) int {
	count, _ := slices.BinarySearchFunc(a.unknown, t, func(op Op, t time.Duration) int { return cmp.Compare(op.Start, t) })
	return count
}

// entry is the answered changes of one balance in one log entry, in no particular order.
type entry []Op

func (a *audit) entries() []entry {
	var all []entry
	for from := 0; from < len(a.chain); {
		to := from + 1
		for to < len(a.chain) && a.chain[to].Index == a.chain[from].Index {
			to++
		}
		all = append(all, entry(a.chain[from:to]))
		from = to
	}
	return all
}

// replay walks the entries with all balances that are possible between them: where several orders of an entry fit, or
// unknown changes may or may not have happened, more than one is. It stops at the first entry that fits none of them,
// since what follows would be noise.
func (a *audit) replay(entries []entry) bool {
	ends := frontier{a.owner.Initial: 0}
	for _, e := range entries {
		if len(e) > maxEntry {
			a.report.Undecided++
			return false
		}
		next := a.follow(ends, e)
		if len(next) == 0 {
			a.violation("from balance %v the changes of entry %d cannot follow: %v", slices.Sorted(maps.Keys(ends)), e[0].Index, e)
			return false
		}
		ends = next
	}
	fewest := -1
	for balance, steps := range ends {
		if !a.explains(a.owner.Final-balance, len(a.unknown)) {
			continue
		}
		if balance != a.owner.Final {
			steps++
		}
		if fewest < 0 || steps < fewest {
			fewest = steps
		}
	}
	if fewest < 0 {
		a.violation("the last answered change left %v, the end is %d, and unknown changes %v do not explain it",
			slices.Sorted(maps.Keys(ends)), a.owner.Final, deltas(a.unknown))
		return false
	}
	a.report.Resolved += fewest
	return true
}

// frontier maps each possible balance to the fewest steps by unknown changes that lead there.
type frontier map[int64]int

// maxEntry bounds the search for an order, which takes 2^n * n^2 steps for n changes of one balance in one entry.
const maxEntry = 14

// follow returns the balances at which an order of e can end that begins at one of starts.
func (a *audit) follow(starts frontier, e entry) frontier {
	// best[set*n+last]: the fewest unknown steps to have placed the changes in set with last as the latest; -1: cannot be.
	n := len(e)
	best := slices.Repeat([]int{-1}, n<<n)
	place := func(set, at int, from int64, steps int) {
		if step := e[at].Balance - e[at].delta() - from; step != 0 {
			if !a.explains(step, a.sentBefore(e[at].End)) {
				return
			}
			steps++
		}
		if slot := &best[(set|1<<at)*n+at]; *slot < 0 || steps < *slot {
			*slot = steps
		}
	}
	for at := range e {
		for balance, steps := range starts {
			place(0, at, balance, steps)
		}
	}
	for set := 1; set < 1<<n; set++ {
		for last := range e {
			steps := best[set*n+last]
			if steps < 0 {
				continue
			}
			for at := range e {
				if set&(1<<at) == 0 {
					place(set, at, e[last].Balance, steps)
				}
			}
		}
	}
	ends := frontier{}
	for last := range e {
		steps := best[(1<<n-1)*n+last]
		if known, found := ends[e[last].Balance]; steps >= 0 && (!found || steps < known) {
			ends[e[last].Balance] = steps
		}
	}
	return ends
}

// checkObservations: a denial or a read shows a balance that stood at some moment between its sending and its answer.
func (a *audit) checkObservations(entries []entry) {
	for _, op := range a.ops {
		seen := op.Outcome == Denied || op.Outcome == OK && !op.changes()
		if seen && !a.stood(entries, op) {
			a.violation("no balance of that time: %v", op)
		}
	}
}

// stood looks at whole entries, since the order within one may be open.
func (a *audit) stood(entries []entry, seen Op) bool {
	// A change answered before seen was sent precedes it; one sent after its answer follows it.
	first, last := -1, len(entries)-1
	for i, e := range entries {
		for _, op := range e {
			if op.End < seen.Start {
				first = i
			}
			if op.Start > seen.End {
				last = min(last, i)
			}
		}
	}
	count := a.sentBefore(seen.End)
	fits := func(balance int64) bool { return a.explains(seen.Balance-balance, count) }
	if first < 0 && fits(a.owner.Initial) {
		return true
	}
	for _, e := range entries[max(first, 0) : last+1] {
		if slices.ContainsFunc(e, func(op Op) bool { return fits(op.Balance) }) {
			return true
		}
	}
	return false
}

// checkRealTime: what was answered before another operation was sent, on whichever balance and node, precedes it: a change comes
// later in the log than any index seen by then, and an observation reflects an index not below it.
func checkRealTime(owners []Owner, ops []Op, report *Report) {
	var answered []Op
	for _, op := range ops {
		if op.Answered() && op.Index > 0 {
			answered = append(answered, op)
		}
	}
	byEnd := slices.Clone(answered)
	slices.SortFunc(answered, func(x, y Op) int { return cmp.Compare(x.Start, y.Start) })
	slices.SortFunc(byEnd, func(x, y Op) int { return cmp.Compare(x.End, y.End) })
	var newest Op // the one with the highest index among those answered so far
	ended := 0
	for _, op := range answered {
		for ; ended < len(byEnd) && byEnd[ended].End < op.Start; ended++ {
			if byEnd[ended].Index > newest.Index {
				newest = byEnd[ended]
			}
		}
		if op.Index < newest.Index || op.Changed() && op.Index == newest.Index {
			report.Violations = append(report.Violations, fmt.Sprintf("index runs backwards: %s: %v; but before it was sent %s: %v",
				owners[op.Owner].Name, op, owners[newest.Owner].Name, newest))
			return
		}
	}
}
