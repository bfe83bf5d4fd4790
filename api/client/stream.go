package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Stream posts request to an endpoint whose answer has no envelope and may be long: the timeout of the client does not bound it. The caller
// closes the body. An error that the node sent comes back as in Call.
func (c *Client) Stream(ctx context.Context, endpoint string, request any) (body io.ReadCloser, header http.Header, err error) {
	text, err := json.Marshal(request)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", endpoint, err)
	}
	made, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/v2/"+endpoint, bytes.NewReader(text))
	if err != nil {
		return nil, nil, err
	}
	made.Header.Set("Content-Type", "application/json")
	made.Header.Set("Authorization", "Bearer "+c.rootKey)
	response, err := c.http.Do(made)
	if err != nil {
		return nil, nil, c.failure(ctx, true, err)
	}
	if response.StatusCode == http.StatusOK {
		return response.Body, response.Header, nil
	}
	defer func() { _ = response.Body.Close() }()
	refusal, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer))
	if err != nil {
		return nil, nil, fmt.Errorf("the answer of %s to %s is incomplete: %w", c.base, endpoint, err)
	}
	answer := answerOf(response)
	answer.read(c.base, endpoint, refusal, nil)
	var failed *Error
	if seconds, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 32); err == nil && errors.As(answer.Err, &failed) {
		failed.RetryAfter = time.Duration(seconds) * time.Second
	}
	return nil, nil, answer.Err
}
