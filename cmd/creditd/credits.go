package main

import (
	"fmt"
	"strconv"

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
	repetition      repetition
	value           *int64
}

func (c *creditsCommand) bind(s *settings.Set) {
	c.repetition.bind(s)
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
	if err := c.repetition.once(&c.operator, c.endpoint, request, &after); err != nil {
		return err
	}
	shown := map[string]any{"remaining": after.Remaining}
	if after.Refill != nil {
		shown["refill"] = after.Refill
	}
	return c.printValue(in, shown, after)
}
