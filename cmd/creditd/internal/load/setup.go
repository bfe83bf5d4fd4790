package load

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/creditd/creditd/api/client"
)

const (
	setupParallel = 64 // a durable node commits concurrent creations together, so this many cost little more than one
	setupPatience = 15 * time.Second
)

// creator makes the API, identities and keys of a run.
type creator struct {
	config Config
	client *client.Client
	turn   atomic.Uint64
}

// makeKeys creates what the run needs and returns the plaintext keys.
func makeKeys(ctx context.Context, config Config) ([]string, error) {
	c := &creator{config: config, client: client.New(client.Config{RootKey: config.RootKey, Timeout: config.Timeout})}
	defer c.client.Close()

	var api struct {
		ID string `json:"apiId"`
	}
	if err := c.create(ctx, "apis.createApi", map[string]any{"name": "creditd-bench"}, &api); err != nil {
		return nil, err
	}
	// Names differ from run to run: an externalId is unique in its workspace.
	run := strconv.FormatInt(time.Now().UnixNano(), 36)
	credits := map[string]any{"remaining": config.Credits}
	if config.IdentityShared {
		identities := (config.Keys + keysPerIdentity - 1) / keysPerIdentity
		err := c.parallel(ctx, identities, func(ctx context.Context, i int) error {
			body := map[string]any{"externalId": identityName(run, i), "credits": credits}
			return c.create(ctx, "identities.createIdentity", body, nil)
		})
		if err != nil {
			return nil, err
		}
	}
	keys := make([]string, config.Keys)
	err := c.parallel(ctx, config.Keys, func(ctx context.Context, i int) error {
		body := map[string]any{"apiId": api.ID}
		if config.IdentityShared {
			body["externalId"] = identityName(run, i/keysPerIdentity)
		} else {
			body["credits"] = credits
		}
		var made struct {
			Key string `json:"key"`
		}
		if err := c.create(ctx, "keys.createKey", body, &made); err != nil {
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

func identityName(run string, number int) string { return fmt.Sprintf("bench-%s-%d", run, number) }

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

// create repeats a request that certainly was not executed: a cluster that just started has no leader for a moment.
func (c *creator) create(ctx context.Context, endpoint string, body, data any) error {
	ctx, cancel := context.WithTimeout(ctx, setupPatience)
	defer cancel()
	for {
		addr := c.config.Addrs[c.turn.Add(1)%uint64(len(c.config.Addrs))]
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
