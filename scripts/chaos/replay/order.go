package replay

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/creditd/creditd/scripts/chaos/history"
)

// checkOrder compares the log with real time, across accounts and nodes. A change comes later in the log than every index that was
// answered before the change was sent; a read or a denial reflects an index that is not below it.
func checkOrder(accounts []history.Account, ops []history.Operation) (violations []string) {
	var sent []history.Operation
	for _, op := range ops {
		if op.Answered() && op.Index > 0 {
			sent = append(sent, op)
		}
	}
	ended := slices.Clone(sent)
	slices.SortFunc(sent, func(x, y history.Operation) int { return cmp.Compare(x.Start, y.Start) })
	slices.SortFunc(ended, func(x, y history.Operation) int { return cmp.Compare(x.End, y.End) })
	var newest history.Operation // of those answered so far, the one with the highest index
	for _, op := range sent {
		for ; len(ended) > 0 && ended[0].End < op.Start; ended = ended[1:] {
			if ended[0].Index > newest.Index {
				newest = ended[0]
			}
		}
		if op.Index < newest.Index || op.Changed() && op.Index == newest.Index {
			return []string{fmt.Sprintf("the index runs backwards: %s: %v; but before it was sent, %s: %v",
				accounts[op.Account].Name, op, accounts[newest.Account].Name, newest)}
		}
	}
	return nil
}
