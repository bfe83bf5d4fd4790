package fsm

// expiredPerEntry is how many things of each kind one log entry expires, so that an entry takes only microseconds longer. Expiry that makes
// capacity for new things comes on top.
const expiredPerEntry = 64

// expiring is what a deadline queue holds.
type expiring[T any] interface {
	comparable
	// deadline is the log time, in Unix ms, from which the thing counts as expired. Readers check it and do not wait for the queue.
	deadline() int64
	// sooner is a total order that agrees with the deadlines. It depends only on the things, so every node expires the same ones with the
	// same entry, whatever the history of its state.
	sooner(T) bool
	// slot is where the queue stores the thing's position.
	slot() *int32
}

// deadlines is the queue for everything that expires: a heap with the next thing to expire in front. The zero value is empty.
type deadlines[T expiring[T]] []T

// expire removes up to n things whose deadline has passed and calls end for each. end must not change the queue.
func (d *deadlines[T]) expire(now int64, n int, end func(T)) {
	for ; n > 0 && len(*d) > 0 && (*d)[0].deadline() <= now; n-- {
		first := (*d)[0]
		d.remove(first)
		end(first)
	}
}

// add adds a thing that is not in the queue.
func (d *deadlines[T]) add(item T) {
	*item.slot() = int32(len(*d))
	*d = append(*d, item)
	d.up(item)
}

// fix restores the order after a thing's deadline has changed.
func (d *deadlines[T]) fix(item T) {
	d.up(item)
	d.down(item)
}

// remove removes a thing that is in the queue.
func (d *deadlines[T]) remove(item T) {
	list := *d
	at, last := *item.slot(), list[len(list)-1]
	var none T
	list[len(list)-1] = none
	*d = list[:len(list)-1]
	if last != item {
		*last.slot() = at
		list[at] = last
		d.fix(last)
	}
}

func (d *deadlines[T]) up(item T) {
	list, i := *d, *item.slot()
	for i > 0 {
		parent := (i - 1) / 2
		if !item.sooner(list[parent]) {
			break
		}
		list[i] = list[parent]
		*list[i].slot() = i
		i = parent
	}
	list[i] = item
	*item.slot() = i
}

func (d *deadlines[T]) down(item T) {
	list, i := *d, *item.slot()
	for {
		child := 2*i + 1
		if int(child) >= len(list) {
			break
		}
		if int(child)+1 < len(list) && list[child+1].sooner(list[child]) {
			child++
		}
		if !list[child].sooner(item) {
			break
		}
		list[i] = list[child]
		*list[i].slot() = i
		i = child
	}
	list[i] = item
	*item.slot() = i
}
