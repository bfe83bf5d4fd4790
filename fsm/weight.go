package fsm

import "github.com/creditd/creditd/fsm/fields"

// weightUnit is the number of bytes that weigh 1 in the idempotency store. Most answers have fewer.
const weightUnit = 256

// weightOf is the weight of an answer in the idempotency store: ceil(size/256), at least 1, and the sum of that for a batch. So the
// capacity bounds bytes. It follows from the answer alone, so a node that loads the answer gets the same weight.
func weightOf(r Result) uint64 {
	v := fields.NewMeasuring()
	answers, many := r.(*Verdicts)
	if !many {
		r.fields(&v)
		return weightOfSize(v.Size())
	}
	n, before := uint64(0), 0
	for _, item := range answers.Results {
		item.fields(&v)
		n += weightOfSize(v.Size() - before)
		before = v.Size()
	}
	return max(1, n)
}

func weightOfSize(size int) uint64 { return uint64(max(1, (size+weightUnit-1)/weightUnit)) }
