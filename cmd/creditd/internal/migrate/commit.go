package migrate

import (
	"fmt"

	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

// commit counts a page that is written, and lets a resumed pass begin after it. The report comes first: the state says how long it is.
func (p *Pass) commit(number int, s step, one *sent) error {
	p.State.begin()
	tally := p.summary.of(s)
	tally.Rows += one.page.Read
	for why, n := range one.page.Skipped {
		tally.skip(why, n)
	}
	problems := one.page.Problems
	for i := range one.page.Items {
		problem, err := p.settle(s, tally, one, i)
		if err != nil {
			return err
		}
		if problem != nil {
			problems = append(problems, *problem)
		}
	}
	for _, problem := range problems {
		tally.count(problem.Effect)
		if err := p.Report.problem(problem); err != nil {
			return err
		}
	}
	p.Progress.add(one.page.Read, len(problems))
	return p.State.save(p, number, one.page)
}

// settle counts what became of an item. A problem is what the cluster refused.
func (p *Pass) settle(s step, tally *Tally, one *sent, i int) (*unkey.Problem, error) {
	item, outcome := &one.page.Items[i], &one.outcomes[i]
	switch {
	case s.part == unkey.Deletions:
		return settleDeletion(tally, item, one.removals[i]), nil
	case p.Target == nil:
		tally.Taken++
		return nil, nil
	}
	balances := s.part == unkey.Balances
	tally.outcome(outcome.Outcome)
	switch outcome.Outcome {
	case records.Created, records.Unchanged, records.Replaced:
		tally.Taken++
		if outcome.Shortfall == 0 {
			return nil, nil
		}
		tally.Shortfall += outcome.Shortfall
		return &unkey.Problem{Table: item.Table, ID: item.ID, Column: "remaining", Effect: unkey.Partly, Reason: fmt.Sprintf(
			"both sides charged: the balance would be %d below zero, and is 0", outcome.Shortfall)}, nil
	}
	switch {
	case balances && outcome.Reason == records.ReferenceMissing, balances && outcome.Reason == records.Deleted:
		tally.skip("not in the cluster", 1) // not taken over by an earlier pass, which reported it
		return nil, nil
	case outcome.Reason == records.NotTracked:
		return nil, notTracked(item.ID)
	}
	if !balances && unkey.Referred(item.Table) {
		p.lost = append(p.lost, [2]string{item.Table, item.ID})
	}
	return &unkey.Problem{Table: item.Table, ID: item.ID, Column: columnOf(item.Table, outcome.Reason), Effect: unkey.NotTaken,
		Reason: "the cluster refuses it: " + p.explain(item.Table, outcome)}, nil
}

// settleDeletion counts what became of something that was deleted at the source.
func settleDeletion(tally *Tally, item *unkey.Item, became removal) *unkey.Problem {
	problem := &unkey.Problem{Table: item.Table, ID: item.ID, Column: "deleted", Effect: unkey.Noted, Reason: "it was deleted at the source, and now in the cluster"}
	switch became {
	case absent:
		return nil
	case protected:
		problem.Effect, problem.Reason = unkey.Partly, "it was deleted at the source, and the cluster protects it from deletion"
		return problem
	case foreign:
		problem.Effect, problem.Reason = unkey.Partly, "it was deleted at the source, and only a root key of its workspace can delete it in the cluster"
		return problem
	case unfollowed:
		problem.Effect, problem.Reason = unkey.Partly, "it was deleted at the source. The cluster follows no record of it, so it stays there: delete it by hand"
		return problem
	case inUse:
		problem.Effect, problem.Reason = unkey.Partly, "it was deleted at the source, and has keys in the cluster that did not come from there"
		return problem
	}
	tally.Removed++
	return problem
}
