package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

// repetition has the setting of a command with an effect that a repetition must not have again.
type repetition struct{ idempotencyKey string }

func (r *repetition) bind(s *settings.Set) {
	s.Group("Repetition")
	s.Text(&r.idempotencyKey, "idempotency-key", "KEY", "name of the request; a call with the name of an earlier one has no second effect. Without it the command makes one")
}

// onceTries is how often a request is sent that may have been executed. The second answer repeats the first.
const (
	onceTries = 4
	oncePause = 250 * time.Millisecond
)

// once makes a request that has an effect at most once, however often it is sent: it has an Idempotency-Key. If any of the tries may have had
// its effect, the error says with which key a later one has no second.
func (r *repetition) once(o *operator, endpoint string, request, result any) error {
	key := r.idempotencyKey
	if key == "" {
		var random [16]byte
		_, _ = rand.Read(random[:]) // never fails
		key = "creditd-" + hex.EncodeToString(random[:])
	}
	var answer client.Answer
	maybe := false
	for try := range onceTries {
		if try > 0 {
			time.Sleep(oncePause)
		}
		node := o.nodes[try%len(o.nodes)]
		answer = node.Call(context.Background(), endpoint, request, result, client.IdempotencyKey(key))
		switch {
		case answer.Outcome == client.Executed:
			return nil
		case answer.Outcome == client.Refused && answer.Status >= http.StatusBadRequest && answer.Status < http.StatusInternalServerError:
			return advise(answer.Err)
		case answer.Outcome != client.NotExecuted: // also what a proxy answers in the name of a node
			maybe = true
		}
	}
	if !maybe {
		return advise(answer.Err)
	}
	return fmt.Errorf("%w; it may have been executed. Repeat the command with --idempotency-key %s, which has no second effect within 24 hours", answer.Err, key)
}
