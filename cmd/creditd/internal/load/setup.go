package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/creditd/creditd/api/client"
)

const (
	setupParallel = 64               // a durable node commits concurrent creations together, so this many cost little more than one
	setupPatience = 15 * time.Second // --timeout is that of a measured request, and may be short
)

// creator makes the API, identities and keys of a run, and removes them.
type creator struct {
	config Config
	client *client.Client
	turn   atomic.Uint64

	run        string // in the names of identities; an externalId is unique in its workspace
	apiID      string // empty: there is none
	identities int    // that may exist
}

func newCreator(config Config) *creator {
	return &creator{
		config: config, client: client.New(client.Config{RootKey: config.RootKey, TLS: config.TLS, Timeout: setupPatience}),
		run: strconv.FormatInt(time.Now().UnixNano(), 36),
	}
}

// makeKeys creates what the run needs and returns the plaintext keys.
func (c *creator) makeKeys(ctx context.Context) ([]string, error) {
	var api struct {
		ID string `json:"apiId"`
	}
	if err := c.send(ctx, "apis.createApi", map[string]any{"name": "creditd-bench"}, &api); err != nil {
		return nil, err
	}
	c.apiID = api.ID
	credits := map[string]any{"remaining": c.config.Credits}
	if c.config.IdentityShared {
		c.identities = (c.config.Keys + keysPerIdentity - 1) / keysPerIdentity
		err := c.parallel(ctx, c.identities, func(ctx context.Context, i int) error {
			body := map[string]any{"externalId": c.identity(i), "credits": credits}
			return c.send(ctx, "identities.createIdentity", body, nil)
		})
		if err != nil {
			return nil, err
		}
	}
	keys := make([]string, c.config.Keys)
	err := c.parallel(ctx, c.config.Keys, func(ctx context.Context, i int) error {
		body := map[string]any{"apiId": api.ID}
		if c.config.IdentityShared {
			body["externalId"] = c.identity(i / keysPerIdentity)
		} else {
			body["credits"] = credits
		}
		var made struct {
			Key string `json:"key"`
		}
		if err := c.send(ctx, "keys.createKey", body, &made); err != nil {
			return err
		}
		if made.Key == "" {
			return fmt.Errorf("keys.createKey: the answer has no key")
		}
		keys[i] = made.Key
		return nil
	})
	return keys, err
}

// remove deletes the API with its keys, and the identities.
func (c *creator) remove(ctx context.Context) error {
	if c.apiID == "" {
		return nil
	}
	err := c.send(ctx, "apis.deleteApi", map[string]any{"apiId": c.apiID}, nil)
	return errors.Join(err, c.parallel(ctx, c.identities, func(ctx context.Context, i int) error {
		return ignoreMissing(c.send(ctx, "identities.deleteIdentity", map[string]any{"identity": c.identity(i)}, nil))
	}))
}

// ignoreMissing forgives that an identity does not exist: the run may have ended before it was made.
func ignoreMissing(err error) error {
	var refused *client.Error
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		return nil
	}
	return err
}

// made names what the run created.
func (c *creator) made() string {
	text := "the API " + c.apiID + " with its keys"
	if c.identities > 0 {
		text += fmt.Sprintf(" and the identities bench-%s-*", c.run)
	}
	return text
}

func (c *creator) identity(number int) string { return fmt.Sprintf("bench-%s-%d", c.run, number) }

func (c *creator) parallel(ctx context.Context, count int, do func(context.Context, int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(setupParallel)
	for i := range count {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

// send repeats a request that certainly was not executed: a cluster that just started has no leader for a moment.
func (c *creator) send(ctx context.Context, endpoint string, body, data any) error {
	ctx, cancel := context.WithTimeout(ctx, setupPatience)
	defer cancel()
	for {
		addr := c.config.Addrs[c.turn.Add(1)%uint64(len(c.config.Addrs))]
		if c.config.TLS != nil {
			addr = "https://" + addr
		}
		answer := c.client.At(addr).Call(ctx, endpoint, body, data)
		if answer.Outcome != client.NotExecuted || answer.Status == 0 {
			return answer.Err
		}
		select {
		case <-ctx.Done():
			return answer.Err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// maxBatchRequests bounds the memory of a run: a request of 1000 verifications has 60 kB.
const maxBatchRequests = 64

// verifyRequests are the complete requests for one address: one per key, or batches that go around all keys.
func verifyRequests(config Config, addr string, keys []string) ([][]byte, error) {
	verification := func(key string) any {
		return map[string]any{"key": key, "credits": map[string]any{"cost": config.Cost}}
	}
	if config.Batch == 0 {
		requests := make([][]byte, len(keys))
		for i, key := range keys {
			var err error
			if requests[i], err = request(config, addr, "keys.verifyKey", verification(key)); err != nil {
				return nil, err
			}
		}
		return requests, nil
	}
	requests, next := make([][]byte, min(len(keys), maxBatchRequests)), 0
	for i := range requests {
		batch := make([]any, config.Batch)
		for n := range batch {
			batch[n] = verification(keys[next%len(keys)])
			next++
		}
		var err error
		if requests[i], err = request(config, addr, "keys.verifyKeys", map[string]any{"verifications": batch}); err != nil {
			return nil, err
		}
	}
	return requests, nil
}

func request(config Config, addr, endpoint string, content any) ([]byte, error) {
	body, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "POST /v2/%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nAccept: application/json\r\nContent-Length: %d\r\n\r\n%s",
		endpoint, addr, config.RootKey, len(body), body), nil
}
