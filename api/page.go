package api

import "github.com/creditd/creditd/fsm"

// page is the data of a list endpoint: see docs/contract.md 1.14.
type page struct {
	data any
	next string // the cursor of the next page; empty: there is none
}

// appendPagination appends what stands beside the data.
func (p page) appendPagination(b []byte) []byte {
	b = append(b, `,"pagination":{"hasMore":`...)
	if p.next == "" {
		return append(b, "false}"...)
	}
	b = append(b, `true,"cursor":`...)
	b = appendString(b, p.next)
	return append(b, '}')
}

// showPage makes a page of the ledger's items.
func showPage[From, To any](list []From, next string, show func(*From) To) page {
	items := make([]To, len(list))
	for i := range list {
		items[i] = show(&list[i])
	}
	return page{items, next}
}

// The fields of a list request, in the order of 1.14.

type pageLimit int64

func (pageLimit) SchemaTag() string { return `schema:"minimum=1,maximum=100,default=100"` }

// pageCursor is any string, however long.
type pageCursor string

type pageSearch string

func (pageSearch) SchemaTag() string { return `schema:"maxLength=256"` }

func pageOf(limit pageLimit, cursor pageCursor) fsm.Page {
	return fsm.Page{Limit: int(limit), Cursor: string(cursor)}
}
