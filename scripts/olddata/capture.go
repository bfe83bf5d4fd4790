package main

import (
	"context"
	"encoding/json"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/launch"
)

// notes are what a later build must read back: the format of the .json files.
type notes struct {
	RootKey       string `json:"rootKey"`
	Index         uint64 `json:"index"` // of the last entry in the ledger
	Digest        string `json:"digest"`
	LedgerVersion int    `json:"ledgerVersion,omitempty"` // a build without one: absent
	// Verifications are answered like this at any time.
	Verifications []exchange `json:"verifications"`
	// Charge is a key, and its balance.
	Charge charge `json:"charge"`
	// Reads are answered like this with Creditd-Consistency: stale, until log time goes on.
	Reads []exchange `json:"reads"`
}

type exchange struct {
	Endpoint string          `json:"endpoint"`
	Request  object          `json:"request"`
	Data     json.RawMessage `json:"data"`
}

type charge struct {
	Key     string `json:"key"`
	KeyID   string `json:"keyId"`
	Balance int64  `json:"balance"`
}

// capture takes down how the verifications are answered. It may change when keys were last used.
func (f *filler) capture() error { return f.answer(f.notes.Verifications) }

// stale reads do not ask for the time, so they change nothing.
var stale = client.Header{Name: "Creditd-Consistency", Value: "stale"}

// read takes down the ledger and the reads. It changes nothing.
func (f *filler) read(ctx context.Context) error {
	status, err := f.node.status(ctx)
	if err != nil {
		return err
	}
	f.notes.RootKey, f.notes.Index, f.notes.Digest = launch.RootKey, status.Digest.Index, status.Digest.Value
	whole, err := f.node.cluster.Status(ctx, 0)
	if err != nil {
		return err
	}
	f.notes.LedgerVersion = whole.LedgerVersion
	return f.answer(f.notes.Reads, stale)
}

func (f *filler) answer(exchanges []exchange, headers ...client.Header) error {
	for i := range exchanges {
		e := &exchanges[i]
		if err := call(f.node.client, e.Endpoint, e.Request, &e.Data, headers...); err != nil {
			return err
		}
	}
	return nil
}
