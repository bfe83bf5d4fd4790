package fsm

import "github.com/creditd/creditd/fsm/fields"

// The budget of one page, because a page delays the log, and its answer takes memory [D-34]. A page that used it up ends early.
const (
	maxExamined = 10_000  // items looked at
	maxPageWork = 3 << 20 // about the nanoseconds of looking and the bytes of what is shown
)

// What things cost of maxPageWork.
const (
	examinedItem     = 100
	searchedByte     = 6   // in any letter case
	gatheredLink     = 400 // a permission of a key, or of one of its roles
	examinedResource = 4   // of an audit entry
)

// pageBudget is what is left for a page.
type pageBudget struct{ items, work int }

func newPageBudget() pageBudget { return pageBudget{maxExamined, maxPageWork} }

// examine counts an item; false: the budget is used up, and the next page begins with the item.
func (b *pageBudget) examine(cost int) bool {
	if b.items == 0 || b.work <= 0 {
		return false
	}
	b.items--
	b.work -= examinedItem + cost
	return true
}

// visited is an answer whose texts and lists can be measured.
type visited[R any] interface {
	*R
	fields(*fields.Visitor)
}

// listing is how a page is made of the items of an index.
type listing[T listed, R any] struct {
	wanted func(T) (wanted bool, cost int) // nil: all
	cost   func(T) int                     // of showing an item, beyond its size; nil: none
	show   func(T) R
}

// page returns the part of a list that q selects, and where the next page begins. It ends before it is full when the budget is used up.
// The first item of a page is shown whatever it costs.
func page[T listed, R any, P visited[R]](o *ordered[T], q Page, l listing[T, R]) (list []R, next string) {
	left := newPageBudget()
	o.from(q.Cursor, func(item T) bool {
		wanted, cost := true, 0
		if l.wanted != nil {
			wanted, cost = l.wanted(item)
		}
		if !left.examine(cost) {
			next = item.listID()
			return false
		}
		if !wanted {
			return true
		}
		cost = 0
		if l.cost != nil {
			cost = l.cost(item)
		}
		if len(list) == q.Limit || len(list) > 0 && cost > left.work {
			next = item.listID()
			return false
		}
		list = append(list, l.show(item))
		left.work -= cost + sizeOf[R, P](&list[len(list)-1])
		return true
	})
	return list, next
}

// sizeOf is about how many bytes an answer takes.
func sizeOf[R any, P visited[R]](p P) int {
	m := fields.NewMeasuring()
	p.fields(&m)
	return m.Size()
}
