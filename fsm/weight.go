package fsm

import "github.com/creditd/creditd/fsm/fields"

// weightUnit is how many bytes of an answer count as one idempotency record. Most answers have fewer.
const weightUnit = 256

// weightOf weighs an answer for the idempotency store: ceil(size/256), at least 1, and each item of a batch by itself. So the store's
// limit bounds bytes. The weight follows from the answer alone: a node that loaded the answer finds the same.
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
