package api

import "github.com/creditd/creditd/fsm"

// page is the answer of a list endpoint, docs/contract.md 1.14.
type page[Item any] struct {
	items []Item
	next  string // the cursor of the next page; empty: there is none
}

// pager is a page of any items.
type pager interface {
	list() any
	// appendPage appends the items and what stands beside them. hold is told how long the text is, and may end it.
	appendPage(b []byte, hold func(n int) error) ([]byte, error)
}

func (p page[Item]) list() any { return p.items }

func (p page[Item]) appendPage(b []byte, hold func(n int) error) ([]byte, error) {
	b = append(b, '[')
	for i := range p.items {
		if i > 0 {
			b = append(b, ',')
		}
		if item, ok := any(p.items[i]).(metaHolder); ok {
			b = appendHolder(b, item)
		} else {
			b = appendData(b, &p.items[i])
		}
		if err := hold(len(b)); err != nil {
			return b, err
		}
	}
	return appendPagination(append(b, ']'), p.next), nil
}

// appendPagination appends what stands beside the data of a page.
func appendPagination(b []byte, next string) []byte {
	b = append(b, `,"pagination":{"hasMore":`...)
	if next == "" {
		return append(b, "false}"...)
	}
	b = append(b, `true,"cursor":`...)
	b = appendString(b, next)
	return append(b, '}')
}

// pageOf shows the ledger's items as a page.
func pageOf[From, To any](list []From, next string, show func(*From) To) page[To] {
	return page[To]{showList(list, show), next}
}

// showList shows each item. The list is an array also when it is empty: null is no list.
func showList[From, To any](list []From, show func(*From) To) []To {
	items := make([]To, len(list))
	for i := range list {
		items[i] = show(&list[i])
	}
	return items
}

// The fields of a list request.

type pageLimit int64

func (pageLimit) SchemaTag() string { return `schema:"minimum=1,maximum=100,default=100"` }

// pageCursor is any string of any length.
type pageCursor string

type pageSearch string

func (pageSearch) SchemaTag() string { return `schema:"maxLength=256"` }

func wantedPage(limit pageLimit, cursor pageCursor) fsm.Page {
	return fsm.Page{Limit: int(limit), Cursor: string(cursor)}
}
