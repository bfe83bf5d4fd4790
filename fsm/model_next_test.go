//go:build nextversion

package fsm_test

import (
	"fmt"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/fsm/fsmtest"
)

func init() {
	besides = annotate
	plainly = func(v *fsm.Verdict) *fsm.Verdict {
		plain := *v
		plain.Debits = 0
		return &plain
	}
}

// annotate writes and removes notes about a few keys, whatever the ledger version.
func annotate(h *history) {
	h.t.Helper()
	for range h.rng.IntN(3) {
		c := &fsm.AnnotateKey{KeyID: fmt.Sprintf("key_%d", h.rng.IntN(20)), Text: []string{"", "a", "größer ✓"}[h.rng.IntN(3)]}
		before := h.live.Digest()
		r := h.applyBeside(fsm.Call{Actor: fsmtest.Root, Command: c})
		again, err := codec.DecodeResult(codec.AppendResult(nil, r))
		require.NoError(h.t, err)
		require.Equal(h.t, r, again)
		refusal, refused := r.(*fsm.Refusal)
		unknown, rejected := h.live.Answer(fsmtest.Root, &fsm.Authorize{}).(*fsm.Refusal)
		switch {
		case rejected && unknown.Code != fsm.InsufficientPermissions: // the caller is authenticated first
			require.Equal(h.t, unknown.Code, refusal.Code)
			require.Equal(h.t, before, h.live.Digest())
		case h.live.LedgerVersion() < fsm.NewestLedgerVersion:
			require.Equal(h.t, fsm.LedgerVersionTooLow, refusal.Code)
			require.Equal(h.t, before, h.live.Digest())
		case refused:
			require.Equal(h.t, fsm.KeyNotFound, refusal.Code)
			require.Equal(h.t, before, h.live.Digest())
		default:
			require.NotZero(h.t, r.(*fsm.Annotated).Notes)
			require.NotEqual(h.t, before, h.live.Digest())
		}
	}
}

// applyBeside sends a command through the log that the reference model does not know.
func (h *history) applyBeside(call fsm.Call) fsm.Result {
	h.t.Helper()
	h.index++
	b := fsm.Batch{Stamp: h.live.Clock(), Index: h.index, IdempotencyMaxKeys: h.capacity, Calls: []fsm.Call{call}}
	h.log = append(h.log, codec.AppendBatch(nil, b))
	return h.live.Apply(b)[0]
}
