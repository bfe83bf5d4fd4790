package faultrun

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/chaos/history"
	"github.com/creditd/creditd/scripts/launch"
)

// account is one balance: of an identity that several keys share, or of a plain key.
type account struct {
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

// createAccounts creates balances for all epochs of a run: half of them shared, half of each kind set and decremented too.
func createAccounts(ctx context.Context, cluster *launch.Cluster, random *rand.Rand, count int) ([]*account, error) {
	apiID, err := cluster.CreateAPI(ctx)
	if err != nil {
		return nil, err
	}
	var accounts []*account
	for i := range count {
		a := &account{identity: i%2 == 0, initial: random.Int64N(maxInitial), reset: i%4 >= 2}
		kind := "key"
		if a.identity {
			kind = "identity"
		}
		a.name = fmt.Sprintf("%s-%d-%s", kind, i, strings.ToLower(apiID))
		if err := a.create(ctx, cluster, apiID); err != nil {
			return nil, err
		}
		accounts = append(accounts, a)
	}
	return accounts, nil
}

func (a *account) create(ctx context.Context, cluster *launch.Cluster, apiID string) error {
	if !a.identity {
		key, err := cluster.CreateKey(ctx, apiID, a.initial)
		a.id, a.keys = key.ID, []string{key.Key}
		return err
	}
	var identity struct {
		ID string `json:"identityId"`
	}
	request := map[string]any{"externalId": a.name, "credits": map[string]any{"remaining": a.initial}}
	if err := cluster.Call(ctx, launch.Anywhere, "identities.createIdentity", request, &identity); err != nil {
		return err
	}
	a.id = identity.ID
	for range keysOfIdentity {
		var key launch.Key
		if err := cluster.Call(ctx, launch.Anywhere, "keys.createKey", map[string]any{"apiId": apiID, "externalId": a.name}, &key); err != nil {
			return err
		}
		a.keys = append(a.keys, key.Key)
	}
	return nil
}

// balance reads the balance from one node; every read is linearizable.
func (a *account) balance(ctx context.Context, node *client.Client) (int64, client.Answer) {
	var data struct {
		Credits *creditsOut `json:"credits"`
	}
	var answer client.Answer
	if a.identity {
		answer = node.Call(ctx, "identities.getIdentity", map[string]any{"identity": a.id}, &data)
	} else {
		answer = node.Call(ctx, "keys.getKey", map[string]any{"keyId": a.id}, &data)
	}
	switch {
	case answer.Err != nil:
		return 0, answer
	case data.Credits == nil || data.Credits.Remaining == nil:
		answer.Outcome, answer.Err = client.Refused, errors.New("the answer shows no balance")
		return 0, answer
	}
	return *data.Credits.Remaining, answer
}

// recorded are the accounts as the record has them. finals is nil where the final balances are not known.
func recorded(accounts []*account, finals []int64) []history.Account {
	all := make([]history.Account, len(accounts))
	for i, a := range accounts {
		all[i] = history.Account{Name: a.name, Initial: a.initial}
		if finals != nil {
			all[i].Final = finals[i]
		}
	}
	return all
}
