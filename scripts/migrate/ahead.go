package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

// ahead takes balances from an API of the old side that knows of a debit more than its database, for each key. Then the API is gone, and a pass
// that reads the database gives those debits back: that is what it says the source has.
func ahead(ctx context.Context, b *bench, left uint64) error {
	balances, err := b.set.Balances(ctx)
	if err != nil {
		return err
	}
	old := &oldAPI{balances: balances, told: map[string]int64{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: old, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	var pass summary
	err = b.migrate(ctx, &pass, "--balances-from", "http://"+listener.Addr().String())
	err = errors.Join(err, server.Close())
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	if err != nil {
		return err
	}
	if err := b.compareTold(ctx, old.told); err != nil {
		return fmt.Errorf("--balances-from: %w", err)
	}
	if err := b.migrate(ctx, &pass); err != nil {
		return err
	}
	return b.agrees(ctx, left)
}

// oldAPI answers keys.getKey.
type oldAPI struct {
	balances map[string]int64

	mu   sync.Mutex
	told map[string]int64 // guarded by mu
}

func (o *oldAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request struct {
		KeyID string `json:"keyId"`
	}
	err := json.NewDecoder(r.Body).Decode(&request)
	remaining, known := o.balances[request.KeyID]
	w.Header().Set("Content-Type", "application/json")
	switch {
	case err != nil || r.URL.Path != "/v2/keys.getKey" || r.Header.Get("Authorization") != "Bearer "+oldRootKey:
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"meta":{"requestId":"req_1"},"error":{"title":"Bad Request","detail":"not what the old side expects","status":400,"type":"t"}}`)
		return
	case !known:
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(w, `{"meta":{"requestId":"req_1"},"error":{"title":"Not Found","detail":"no such key","status":404,"type":"t"}}`)
		return
	}
	remaining = max(0, remaining-1)
	o.mu.Lock()
	o.told[request.KeyID] = remaining
	o.mu.Unlock()
	_, _ = fmt.Fprintf(w, `{"meta":{"requestId":"req_1"},"data":{"keyId":%q,"credits":{"remaining":%d}}}`, request.KeyID, remaining)
}

// compareTold compares the balances without a refill in the cluster with what the old side said.
func (b *bench) compareTold(ctx context.Context, told map[string]int64) error {
	compared := 0
	err := b.eachKey(ctx, func(k listedKey) error {
		if k.Credits == nil || k.Credits.Refill != nil {
			return nil
		}
		compared++
		if want, ok := told[k.KeyID]; !ok || int64(k.Credits.Remaining) != want {
			return fmt.Errorf("%s has %d, and the old side said %d (asked: %v)", k.KeyID, k.Credits.Remaining, want, ok)
		}
		return nil
	})
	if err == nil && compared == 0 {
		err = errors.New("no key has a balance")
	}
	if err == nil {
		_, _ = fmt.Fprintf(b.out, "cutover: %d balances of the old API, which is ahead of its database\n", compared)
	}
	return err
}

// listedKey is a key as apis.listKeys shows it.
type listedKey struct {
	KeyID   string `json:"keyId"`
	Credits *struct {
		Remaining uint64          `json:"remaining"`
		Refill    json.RawMessage `json:"refill"`
	} `json:"credits"`
}

// eachKey lists the keys of the cluster.
func (b *bench) eachKey(ctx context.Context, take func(listedKey) error) error {
	client := launch.NewClient(b.cluster.HTTPAddr(0), time.Minute)
	defer client.Close()
	for _, api := range b.set.APIs() {
		for cursor := ""; ; {
			var keys []listedKey
			answer := client.Call(ctx, "apis.listKeys", map[string]any{"apiId": api, "limit": 100, "cursor": cursor}, &keys)
			if answer.Err != nil {
				return answer.Err
			}
			for _, k := range keys {
				if err := take(k); err != nil {
					return err
				}
			}
			if cursor = answer.Cursor; cursor == "" {
				break
			}
		}
	}
	return nil
}
