package fsm

// expiredPerEntry bounds how many things of each sort one log entry ends because their time has come, apart from those that make room
// for new ones. An entry takes microseconds longer for it, however many have expired.
const expiredPerEntry = 64

// expiring is what a deadline queue holds.
type expiring[T any] interface {
	comparable
	// deadline is the log time, in Unix ms, from which on the thing counts as gone. What looks at it must not wait for the queue.
	deadline() int64
	// sooner is a total order that agrees with the deadlines. It depends on nothing but the things: every node ends the same ones with
	// the same entry, however it came to its state.
	sooner(T) bool
	// slot is where the queue keeps the thing's place.
	slot() *int32
}

// deadlines is the one mechanism for what expires: a heap with the thing that expires first at the front. The zero value is empty.
type deadlines[T expiring[T]] []T

// expire ends up to n things whose deadline has come. end must not touch the queue.
func (d *deadlines[T]) expire(now int64, n int, end func(T)) {
	for ; n > 0 && len(*d) > 0 && (*d)[0].deadline() <= now; n-- {
		first := (*d)[0]
		d.remove(first)
		end(first)
	}
}

// add takes in a thing that is not in the queue.
func (d *deadlines[T]) add(item T) {
	*item.slot() = int32(len(*d))
	*d = append(*d, item)
	d.up(item)
}

// fix finds the place of a thing whose deadline has changed.
func (d *deadlines[T]) fix(item T) {
	d.up(item)
	d.down(item)
}

// remove takes out a thing that is in the queue.
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
