package client

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// Ready asks the node whether it can serve requests (GET /readyz). nil: it can. The error says why it cannot, or why there is no answer.
func (c *Client) Ready(ctx context.Context) error {
	status, text, err := c.Get(ctx, "/readyz")
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s: %d: %s", c.base, status, strings.TrimSpace(string(text[:min(len(text), largestReason)])))
	}
	return err
}

// largestReason bounds what Ready shows of an answer: the port may belong to anything.
const largestReason = 1 << 10
