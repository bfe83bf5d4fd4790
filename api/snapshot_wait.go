package api

import "context"

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
