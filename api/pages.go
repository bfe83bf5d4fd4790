package api

import (
	"strconv"

	"github.com/creditd/creditd/fsm"
)

// The parts that endpoints share which answer with a list, docs/contract.md 1.4 and 1.14.

// pageLimit is how many items a page may have.
type pageLimit int64

func (pageLimit) SchemaTag() string { return `schema:"minimum=1,maximum=100,default=100"` }

func pageOf(limit pageLimit, cursor string) fsm.Page {
	return fsm.Page{Limit: int(limit), Cursor: cursor}
}

// listOut is a page as data, with what stands beside data.
type listOut[T any] struct {
	items []T
	next  string // where the following page begins; empty: there is none
}

// showList makes a page of the ledger's items.
func showList[From, To any](list []From, next string, show func(*From) To) *listOut[To] {
	out := &listOut[To]{items: make([]To, len(list)), next: next}
	for i := range list {
		out.items[i] = show(&list[i])
	}
	return out
}

func (l *listOut[T]) appendJSON(b []byte) []byte {
	b = appendData(b, l.items)
	b = append(b, `,"pagination":{"hasMore":`...)
	b = strconv.AppendBool(b, l.next != "")
	if l.next != "" {
		b = append(b, `,"cursor":`...)
		b = appendString(b, l.next)
	}
	return append(b, '}')
}
