package drill

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/creditd/creditd/scripts/chaos/books"
)

// Result is what a drill found.
type Result struct {
	Seed          uint64
	Counts        [books.Kinds][books.Outcomes]int // operations by kind and outcome
	Missed        map[string]int                   // operations that were not answered, by what came instead
	Faults        map[Fault]int
	Kills         int
	LeaderChanges int
	Slowest       time.Duration // answered operation
	LongestGap    time.Duration // without any answered operation
	Digest        string        // of all nodes at the end
	Undecided     int           // balances that were too entangled to judge
	Resolved      int           // unknown changes that answers prove
	Replayed      int           // answers that came out the same when carried out again
	Linearizable  int           // balances whose answers some order explains
	Violations    []string

	Owners []books.Owner // with their final balances; nil when the cluster did not heal
	Ops    []books.Op    // by the time of their answers
}

// maxShown keeps a run that went thoroughly wrong readable.
const maxShown = 20

// OK is the verdict.
func (r Result) OK() bool { return len(r.Violations) == 0 && r.Total(books.OK) > 0 }

// Total counts the operations of one outcome.
func (r Result) Total(outcome books.Outcome) int {
	total := 0
	for _, counts := range r.Counts {
		total += counts[outcome]
	}
	return total
}

// String is the summary for people.
func (r Result) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "seed            %d\n", r.Seed)
	for kind, counts := range r.Counts {
		fmt.Fprintf(&text, "%-16s", books.Kind(kind).String()+"s")
		for outcome, n := range counts {
			if n > 0 {
				fmt.Fprintf(&text, "%d %v  ", n, books.Outcome(outcome))
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
	fmt.Fprintf(&text, "\nprocess kills   %d\nleader changes  %d\nslowest answer  %v\nlongest silence %v\nunknown changes that answers prove  %d\n"+
		"answers replayed in log order  %d\n",
		r.Kills, r.LeaderChanges, r.Slowest.Round(time.Millisecond), r.LongestGap.Round(time.Millisecond), r.Resolved, r.Replayed)
	fmt.Fprintf(&text, "balances linearizable  %d\n", r.Linearizable)
	if r.Undecided > 0 {
		fmt.Fprintf(&text, "balances whose order was not decided  %d\n", r.Undecided)
	}
	fmt.Fprintf(&text, "digest          %s\n", r.Digest)
	if r.OK() {
		text.WriteString("verdict         ok\n")
		return text.String()
	}
	fmt.Fprintf(&text, "verdict         FAILED, %d violations\n", len(r.Violations))
	for i, violation := range r.Violations {
		if i == maxShown {
			text.WriteString("  …\n")
			break
		}
		fmt.Fprintf(&text, "  %s\n", violation)
	}
	if r.Total(books.OK) == 0 {
		text.WriteString("  no operation succeeded\n")
	}
	return text.String()
}
