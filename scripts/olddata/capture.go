package main

import (
	"encoding/json"
	"fmt"

	"github.com/creditd/creditd/scripts/chaos/wire"
)

// notes are what a later build must read back: the format of the .json files.
type notes struct {
	RootKey string `json:"rootKey"`
	Index   uint64 `json:"index"` // of the last entry in the ledger
	Digest  string `json:"digest"`
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
func (f *filler) capture() error {
	for i := range f.notes.Verifications {
		if err := f.answer(&f.notes.Verifications[i], f.node.client.Call); err != nil {
			return err
		}
	}
	return nil
}

// read takes down the ledger and the reads. It changes nothing.
func (f *filler) read() error {
	status, err := f.node.status()
	if err != nil {
		return err
	}
	f.notes.RootKey, f.notes.Index, f.notes.Digest = rootKey, status.Digest.Index, status.Digest.Value
	for i := range f.notes.Reads {
		if err := f.answer(&f.notes.Reads[i], f.node.client.CallStale); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) answer(e *exchange, call func(addr, endpoint string, body, data any) wire.Answer) error {
	if answer := call(f.node.addr, e.Endpoint, e.Request, &e.Data); answer.Fate != wire.Executed {
		return fmt.Errorf("%s %v: %s", e.Endpoint, e.Request, answer.Detail)
	}
	return nil
}
