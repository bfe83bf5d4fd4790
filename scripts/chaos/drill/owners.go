package drill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/creditd/creditd/scripts/chaos/books"
	"github.com/creditd/creditd/scripts/chaos/local"
	"github.com/creditd/creditd/scripts/chaos/wire"
)

// owner is one balance: of an identity that several keys share, or of a plain key.
type owner struct {
	name     string
	id       string // of the identity or the key
	identity bool
	keys     []string // plaintext; every one of them draws on the balance
	initial  int64
	reset    bool // it is also set and decremented
}

const (
	keysOfIdentity = 3
	maxInitial     = 20_000
)

type creditsOut struct {
	Remaining *int64 `json:"remaining"`
}

// setup creates owners through one client.
type setup struct {
	ctx    context.Context
	client *wire.Client
	addr   string
	apiID  string
}

func newSetup(ctx context.Context, client *wire.Client, addr string) (*setup, error) {
	s := &setup{ctx: ctx, client: client, addr: addr}
	var api struct {
		ID string `json:"apiId"`
	}
	err := s.call("apis.createApi", map[string]any{"name": "creditd-chaos"}, &api)
	s.apiID = api.ID
	return s, err
}

// call repeats what certainly was not executed: the cluster has just elected its first leader.
func (s *setup) call(endpoint string, body, data any) error {
	return local.Await(s.ctx, endpoint, func(context.Context) error {
		if answer := s.client.Call(s.addr, endpoint, body, data); answer.Fate != wire.Executed {
			return errors.New(answer.Detail)
		}
		return nil
	})
}

// owner creates one balance with the given credits.
func (s *setup) owner(name string, identity bool, credits int64) (*owner, error) {
	o := &owner{name: name, identity: identity, initial: credits}
	body := map[string]any{"apiId": s.apiID}
	count := 1
	if identity {
		var made struct {
			ID string `json:"identityId"`
		}
		err := s.call("identities.createIdentity",
			map[string]any{"externalId": name, "credits": map[string]any{"remaining": credits}}, &made)
		if err != nil {
			return nil, err
		}
		o.id, count = made.ID, keysOfIdentity
		body["externalId"] = name
	} else {
		body["credits"] = map[string]any{"remaining": credits}
	}
	for range count {
		var made struct {
			ID  string `json:"keyId"`
			Key string `json:"key"`
		}
		if err := s.call("keys.createKey", body, &made); err != nil {
			return nil, err
		}
		o.keys = append(o.keys, made.Key)
		if !identity {
			o.id = made.ID
		}
	}
	return o, nil
}

// makeOwners creates a batch for every epoch of the run: half of them shared, half of each kind set and decremented too.
func makeOwners(ctx context.Context, client *wire.Client, addr string, random *rand.Rand, count int) ([]*owner, error) {
	s, err := newSetup(ctx, client, addr)
	if err != nil {
		return nil, err
	}
	run := strings.ToLower(s.apiID)
	var owners []*owner
	for i := range count {
		kind := "key"
		if i%2 == 0 {
			kind = "identity"
		}
		o, err := s.owner(fmt.Sprintf("%s-%d-%s", kind, i, run), i%2 == 0, random.Int64N(maxInitial))
		if err != nil {
			return nil, err
		}
		o.reset = i%4 >= 2
		owners = append(owners, o)
	}
	return owners, nil
}

// balance reads the owner's balance from one node; every read is linearizable.
func (o *owner) balance(client *wire.Client, addr string) (int64, wire.Answer) {
	var data struct {
		Credits *creditsOut `json:"credits"`
	}
	var answer wire.Answer
	if o.identity {
		answer = client.Call(addr, "identities.getIdentity", map[string]any{"identity": o.id}, &data)
	} else {
		answer = client.Call(addr, "keys.getKey", map[string]any{"keyId": o.id}, &data)
	}
	if answer.Fate != wire.Executed {
		return 0, answer
	}
	if data.Credits == nil || data.Credits.Remaining == nil {
		answer.Fate, answer.Detail = wire.Refused, "the answer shows no balance"
		return 0, answer
	}
	return *data.Credits.Remaining, answer
}

func booksOf(owners []*owner, finals []int64) []books.Owner {
	all := make([]books.Owner, len(owners))
	for i, o := range owners {
		all[i] = books.Owner{Name: o.name, Initial: o.initial, Final: finals[i], Reset: o.reset}
	}
	return all
}
