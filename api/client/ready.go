package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// largestReason bounds what Ready shows of an answer.
const largestReason = 1 << 10

// Ready asks the node whether it can serve requests (GET /readyz). nil: it can. The error says why it cannot, or is ErrUnreachable.
func (c *Client) Ready(ctx context.Context) error {
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/readyz", nil)
	if err != nil {
		return err
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, largestReason))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	case answer.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: %d: %s", c.base, answer.StatusCode, strings.TrimSpace(string(text)))
	}
	return nil
}
