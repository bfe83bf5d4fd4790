package launch

import (
	"context"
	"errors"

	"github.com/creditd/creditd/api/client"
)

// Anywhere lets Call ask one node after the other.
const Anywhere = -1

// Call asks node i, or Anywhere, until the request is executed: nodes refuse while they elect a leader. An answer that a
// repetition would not change ends it.
func (c *Cluster) Call(ctx context.Context, i int, endpoint string, request, result any) error {
	var refused error
	next := i
	err := Await(ctx, endpoint, func(ctx context.Context) error {
		if i == Anywhere {
			next = (next + 1) % c.Size()
		}
		answer := c.client.At(c.HTTPAddr(next)).Call(ctx, endpoint, request, result)
		if answer.Outcome == client.Refused {
			refused = answer.Err
			return nil
		}
		return answer.Err
	})
	return errors.Join(err, refused)
}

// CreateAPI creates an API.
func (c *Cluster) CreateAPI(ctx context.Context) (id string, err error) {
	var api struct {
		ID string `json:"apiId"`
	}
	err = c.Call(ctx, Anywhere, "apis.createApi", map[string]any{"name": "suite"}, &api)
	return api.ID, err
}

// Key is a key of the ledger.
type Key struct {
	ID  string `json:"keyId"`
	Key string `json:"key"`
}

// CreateKey creates a key with a balance of its own.
func (c *Cluster) CreateKey(ctx context.Context, apiID string, credits int64) (key Key, err error) {
	err = c.Call(ctx, Anywhere, "keys.createKey", map[string]any{"apiId": apiID, "credits": map[string]any{"remaining": credits}}, &key)
	return key, err
}

// Balance reads the balance of a key at node i, or Anywhere.
func (c *Cluster) Balance(ctx context.Context, i int, keyID string) (int64, error) {
	var data struct {
		Credits *struct {
			Remaining int64 `json:"remaining"`
		} `json:"credits"`
	}
	err := c.Call(ctx, i, "keys.getKey", map[string]any{"keyId": keyID}, &data)
	if err == nil && data.Credits == nil {
		err = errors.New("the answer shows no balance")
	}
	if err != nil {
		return 0, err
	}
	return data.Credits.Remaining, nil
}
