package api

import (
	"context"
	"fmt"
)

// openedSnapshot opens a snapshot that a request reads, after a linearizable answer: the file has all that was answered before the request. Behind a
// large import it takes long to be written. After half of the request's time the client is told to ask again. The snapshot goes on meanwhile, so that a
// later request finds it.
//
// While the ledger changes faster than a node writes, a file as new as the later request is never ready. So a client repeats the index of the answer
// that told it to ask again, and gets a file as new as its first request: docs/contract.md 7.6. repeated is that index; 0: there is none.
func openedSnapshot[T any](c *call, repeated uint64, open func(ctx context.Context, minIndex uint64) (T, error)) (T, error) {
	if repeated > 0 {
		c.index = min(repeated, c.index)
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.api.timeout/2)
	defer cancel()
	opened, err := open(ctx, c.index)
	if err != nil && ctx.Err() != nil && c.ctx.Err() == nil {
		detail := fmt.Sprintf("The snapshot that this reads is still being written: ask again, with the header %s: %d", headerMinIndex, c.index)
		err = &problem{errorType: &tooManyRequests, detail: detail, retryAfter: 5, cause: err}
	}
	return opened, err
}
