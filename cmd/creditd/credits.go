package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

// creditsShown are the credits of a key or an identity. Nil, and a missing balance, are unlimited.
type creditsShown struct {
	Remaining *int64 `json:"remaining"`
	Refill    *struct {
		Interval  string `json:"interval"`
		Amount    int64  `json:"amount"`
		RefillDay int64  `json:"refillDay"`
	} `json:"refill"`
}

func (c *creditsShown) String() string {
	if c == nil || c.Remaining == nil {
		return "unlimited"
	}
	text := strconv.FormatInt(*c.Remaining, 10)
	if r := c.Refill; r != nil {
		text += fmt.Sprintf(", %s up to %d", r.Interval, r.Amount)
		if r.RefillDay > 0 {
			text += fmt.Sprintf(" on day %d", r.RefillDay)
		}
	}
	return text
}

func (c creditsShown) fields() [][]string { return [][]string{{"credits", c.String()}} }

const creditsHelp = `
OPERATION is set, increment or decrement, and N a number of credits; 'set unlimited' removes the
balance. The command names its request with an Idempotency-Key, so it repeats an unanswered request
without a second effect. If it gives up, it says with which --idempotency-key a later call is the
same request.`

var _ = register(registration{group: "key", use: "credits KEYID OPERATION N", short: "change the credits of a key",
	long: `Changes the balance of a key, and shows the new one.` + creditsHelp,
	make: func() command { return &creditsCommand{endpoint: "keys.updateCredits", names: "keyId"} }})

var _ = register(registration{group: "identity", use: "credits IDENTITY OPERATION N", short: "change the credits of an identity",
	long: `Changes the balance of an identity, given by its id or external id, and shows the new one.` + creditsHelp,
	make: func() command { return &creditsCommand{endpoint: "identities.updateCredits", names: "identity"} }})

// creditsCommand changes one balance.
type creditsCommand struct {
	reporter
	endpoint, names string // names is the field that says whose
	idempotencyKey  string
	value           *int64
}

func (c *creditsCommand) bind(s *settings.Set) {
	s.Group("Repetition")
	s.Text(&c.idempotencyKey, "idempotency-key", "KEY", "name of the request; a call with the name of an earlier one has no second effect. Without it the command makes one")
	c.reporter.bind(s)
}

func (c *creditsCommand) check(in invocation, s *settings.Set) {
	if len(in.args) == 3 {
		operation, n := in.args[1], in.args[2]
		value, err := strconv.ParseInt(n, 10, 64)
		switch {
		case operation != "set" && operation != "increment" && operation != "decrement":
			s.Note("the operation is %q; it must be set, increment or decrement", operation)
		case operation == "set" && n == "unlimited":
		case err != nil || value < 0:
			s.Note("the number of credits is %q; it must be a whole number from 0 to 9223372036854775807", n)
		default:
			c.value = &value
		}
	}
	c.reporter.check(in, s)
}

func (c *creditsCommand) run(in invocation) error {
	request := map[string]any{c.names: in.args[0], "operation": in.args[1], "value": c.value}
	var after creditsShown
	if err := c.once(c.idempotencyKey, c.endpoint, request, &after); err != nil {
		return err
	}
	shown := map[string]any{"remaining": after.Remaining}
	if after.Refill != nil {
		shown["refill"] = after.Refill
	}
	return c.printValue(in, shown, after)
}

// onceTries is how often a request is sent that may have been executed. The second answer repeats the first.
const (
	onceTries = 4
	oncePause = 250 * time.Millisecond
)

// once makes a request that has an effect at most once, however often it is sent: it has an Idempotency-Key. Empty: a new one.
func (o *operator) once(key, endpoint string, request, result any) error {
	if key == "" {
		var random [16]byte
		_, _ = rand.Read(random[:]) // never fails
		key = "creditd-" + hex.EncodeToString(random[:])
	}
	var answer client.Answer
	for try := range onceTries {
		if try > 0 {
			time.Sleep(oncePause)
		}
		node := o.nodes[try%len(o.nodes)]
		answer = node.Call(context.Background(), endpoint, request, result, client.IdempotencyKey(key))
		if answer.Outcome == client.Executed || answer.Outcome == client.Refused {
			return advise(answer.Err)
		}
	}
	if answer.Outcome == client.NotExecuted && answer.Status != 0 {
		return advise(answer.Err)
	}
	return fmt.Errorf("%w; repeat the command with --idempotency-key %s, which has no second effect within 24 hours", answer.Err, key)
}
