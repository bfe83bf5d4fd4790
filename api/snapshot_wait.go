package api

import "context"

// sinceFirstAttempt is the index that a file must be of at least, after a linearizable answer: that answer's, so that the file has all that was answered
// before the request. A client that was told to ask again repeats the index of that answer in Creditd-Min-Index, and gets a file as new as its first
// request would have got: while the ledger changes faster than a node writes, nothing newer is ever ready. See docs/contract.md 7.6.
func (c *call) sinceFirstAttempt(repeated uint64) uint64 {
	if repeated > 0 {
		return min(repeated, c.index)
	}
	return c.index
}

// openedSnapshot opens a snapshot that a request reads. Behind a large import it takes long to be written: after half of the request's time the client is
// told to ask again. The snapshot goes on meanwhile, so that a later request finds it.
func openedSnapshot[T any](c *call, open func(ctx context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(c.ctx, c.api.timeout/2)
	defer cancel()
	opened, err := open(ctx)
	if err != nil && ctx.Err() != nil && c.ctx.Err() == nil {
		err = &problem{errorType: &tooManyRequests, detail: "The snapshot that this reads is still being written: ask again", retryAfter: 5, cause: err}
	}
	return opened, err
}
