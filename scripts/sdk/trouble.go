package main

import (
	"context"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

// troubled is a node that can be had in a state which a healthy cluster will not reach on demand. It never learns the outcome of a
// verification. It finds every API protected and every namespace deleted, which no endpoint can cause. It is too full to take any other
// request. What its answers look like is up to package api, as everywhere.
type troubled struct{}

func (troubled) Execute(_ context.Context, call fsm.Call) (fsm.Result, uint64, error) {
	switch call.Command.(type) {
	case *fsm.VerifyKey:
		return nil, 0, fault.New(fault.Unknown, "")
	case *fsm.DeleteAPI:
		return &fsm.Refusal{Code: fsm.APIProtected}, 0, nil
	case *fsm.ConsumeRatelimits:
		return &fsm.Refusal{Code: fsm.RatelimitNamespaceGone}, 0, nil
	}
	return nil, 0, errFull
}

var errFull = fault.New(fault.Overloaded, "Too many requests are waiting")

func (troubled) Records(context.Context, uint64) (api.Records, error) { return nil, errFull }

func (troubled) Snapshot(context.Context, fsm.Hash, uint64) (api.Snapshot, error) {
	return nil, errFull
}

func (troubled) Answer(context.Context, fsm.Hash, fsm.Query) (fsm.Result, uint64, error) {
	return nil, 0, errFull
}

func (troubled) AnswerStale(context.Context, fsm.Hash, fsm.Query, uint64) (fsm.Result, uint64, error) {
	return nil, 0, errFull
}

func (troubled) Status(context.Context) (api.Status, error)               { return api.Status{}, errFull }
func (troubled) TransferLeadership(context.Context, string) error         { return errFull }
func (troubled) RemoveServer(context.Context, string, string) error       { return errFull }
func (troubled) GossipKeys(context.Context) ([]api.NodeGossipKeys, error) { return nil, errFull }
func (troubled) ChangeGossipKeys(context.Context, api.GossipKeyChange) (string, []api.NodeGossipKeys, error) {
	return "", nil, errFull
}
func (troubled) LedgerVersion() uint64                              { return fsm.NewestLedgerVersion }
func (troubled) RequestQuota(fsm.Hash) (string, int64)              { return "", 0 }
func (troubled) VerdictBytes([]fsm.Hash) int64                      { return 0 }
func (troubled) TakeTurn(context.Context, fsm.Hash) (func(), error) { return func() {}, nil }
func (troubled) Ready() error                                       { return nil }

// serveTroubled serves the HTTP of this checkout over such a node.
func serveTroubled() (url string, stop func() error, err error) {
	a, err := api.New(api.Config{Node: troubled{}})
	if err != nil {
		return "", nil, err
	}
	return serve(a.Handler())
}
