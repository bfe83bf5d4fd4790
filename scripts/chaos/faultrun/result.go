package faultrun

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/creditd/creditd/scripts/chaos/history"
)

// Result is what a run found.
type Result struct {
	Seed          uint64
	Counts        [history.Kinds][history.Outcomes]int // operations by kind and outcome
	Missed        map[string]int                       // operations that were not answered, by what came instead
	Faults        map[Fault]int
	Kills         int
	Replaced      int // nodes that lost their data and were ready again
	LeaderChanges int
	Led           []int         // by node: in how many terms it led
	Slowest       time.Duration // answered operation
	LongestGap    time.Duration // without any answered operation
	Digest        string        // of all nodes at the end
	Undecided     int           // accounts with too many possible histories to check
	Resolved      int           // unknown changes that answers prove
	Replayed      int           // answers that came out the same when executed again
	Linearizable  int           // accounts whose answers some order explains
	Violations    []string

	Accounts []history.Account
	Ops      []history.Operation // by the time of their answers
}

// maxShown keeps the report of a run with many violations readable.
const maxShown = 20

// OK reports whether the ledger kept its promises, and did something.
func (r Result) OK() bool { return len(r.Violations) == 0 && r.Total(history.OK) > 0 }

// Total counts the operations of one outcome.
func (r Result) Total(outcome history.Outcome) int {
	total := 0
	for _, counts := range r.Counts {
		total += counts[outcome]
	}
	return total
}

// Line is the summary in one line; err says that the run was not completed.
func (r Result) Line(err error) string {
	outcome := "ok"
	switch {
	case len(r.Violations) > 0:
		outcome = fmt.Sprintf("FAILED, %d violations", len(r.Violations))
	case err != nil:
		outcome = "NOT COMPLETED"
	case !r.OK():
		outcome = "FAILED, nothing succeeded"
	}
	faults := 0
	for _, count := range r.Faults {
		faults += count
	}
	return fmt.Sprintf("%s; %d answers, %d unknown; %d faults, %d kills, %d replaced, %d leader changes; %d replayed; %d accounts linearizable, %d undecided; longest gap %v",
		outcome, r.Total(history.OK)+r.Total(history.Denied), r.Total(history.Unknown), faults, r.Kills, r.Replaced, r.LeaderChanges,
		r.Replayed, r.Linearizable, r.Undecided, r.LongestGap.Round(time.Millisecond))
}

// String is the whole summary.
func (r Result) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "seed            %d\n", r.Seed)
	for kind, counts := range r.Counts {
		fmt.Fprintf(&text, "%-16s", history.Kind(kind).String()+"s")
		for outcome, n := range counts {
			if n > 0 {
				fmt.Fprintf(&text, "%d %v  ", n, history.Outcome(outcome))
			}
		}
		text.WriteString("\n")
	}
	text.WriteString("unanswered      ")
	for _, what := range slices.Sorted(maps.Keys(r.Missed)) {
		fmt.Fprintf(&text, "%d %s  ", r.Missed[what], what)
	}
	text.WriteString("\nfaults          ")
	for _, fault := range slices.Sorted(maps.Keys(r.Faults)) {
		fmt.Fprintf(&text, "%d %s  ", r.Faults[fault], fault)
	}
	fmt.Fprintf(&text, "\nprocess kills   %d\nnodes replaced  %d\nleader changes  %d\nslowest answer  %v\nlongest gap     %v\nunknown changes that answers prove  %d\n"+
		"answers replayed in log order  %d\n",
		r.Kills, r.Replaced, r.LeaderChanges, r.Slowest.Round(time.Millisecond), r.LongestGap.Round(time.Millisecond), r.Resolved, r.Replayed)
	fmt.Fprintf(&text, "accounts linearizable  %d\n", r.Linearizable)
	if r.Undecided > 0 {
		fmt.Fprintf(&text, "accounts that were not decided  %d\n", r.Undecided)
	}
	fmt.Fprintf(&text, "digest          %s\n", r.Digest)
	if r.OK() {
		text.WriteString("result          ok\n")
		return text.String()
	}
	fmt.Fprintf(&text, "result          FAILED, %d violations\n", len(r.Violations))
	for i, violation := range r.Violations {
		if i == maxShown {
			text.WriteString("  …\n")
			break
		}
		fmt.Fprintf(&text, "  %s\n", violation)
	}
	if r.Total(history.OK) == 0 {
		text.WriteString("  no operation succeeded\n")
	}
	return text.String()
}
