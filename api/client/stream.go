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
func (c *Client) Stream(ctx context.Context, endpoint string, request any, minIndex uint64) (body io.ReadCloser, header http.Header, err error) {
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
	if minIndex > 0 {
		made.Header.Set("Creditd-Min-Index", strconv.FormatUint(minIndex, 10))
	}
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
	if errors.As(answer.Err, &failed) {
		failed.Index = answer.Index
		if seconds, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 32); err == nil {
			failed.RetryAfter = time.Duration(seconds) * time.Second
		}
	}
	return nil, nil, answer.Err
}

// StreamWhenWritten asks for a file that a node may have to write first. After each 429 it asks again, for what the first request would have got: the
// ledger may change faster than a node writes. pause waits as long as the node asked for, or returns why not.
func StreamWhenWritten(ask func(minIndex uint64) (io.ReadCloser, http.Header, error), pause func(refused *Error) error) (io.ReadCloser, http.Header, error) {
	for first := uint64(0); ; {
		body, header, err := ask(first)
		var refused *Error
		if !errors.As(err, &refused) || refused.Status != http.StatusTooManyRequests {
			return body, header, err
		}
		if first == 0 {
			first = refused.Index
		}
		if err := pause(refused); err != nil {
			return nil, nil, err
		}
	}
}
