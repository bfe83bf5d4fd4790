package main

import (
	"fmt"
	"math"

	"github.com/anishathalye/porcupine"
)

// balanceModel is one balance. An input is the line of an operation, an output the same line with its answer. An operation of unknown
// outcome has done what the rules say.
func balanceModel(initial int64) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return initial },
		Step: func(state, input, output any) (bool, any) {
			balance, op := state.(int64), input.(line)
			after, denied := apply(balance, op)
			answer := output.(line)
			if answer.Outcome == "unknown" {
				return true, after
			}
			return denied == (answer.Outcome == "denied") && answer.Balance == after, after
		},
		DescribeOperation: func(input, output any) string {
			op, answer := input.(line), output.(line)
			if answer.Outcome == "unknown" {
				return fmt.Sprintf("%s %d → ?", op.Kind, op.Amount)
			}
			return fmt.Sprintf("%s %d → %s, %d", op.Kind, op.Amount, answer.Outcome, answer.Balance)
		},
		DescribeState: func(state any) string { return fmt.Sprint(state) },
	}
}

// apply does an operation to a balance.
func apply(balance int64, op line) (after int64, denied bool) {
	switch op.Kind {
	case "debit":
		if balance < op.Amount {
			return balance, true
		}
		return balance - op.Amount, false
	case "increment":
		return balance + op.Amount, false
	case "set":
		return op.Amount, false
	case "decrement":
		return max(0, balance-op.Amount), false
	}
	return balance, false
}

// operations turns an account's lines into porcupine's form. An operation without an answer never ends, because it may be executed
// at any time. The read of the final balance comes after everything else.
func operations(a account) (ops []porcupine.Operation, err error) {
	const never = math.MaxInt64 - 1
	clients := 0
	for _, l := range a.ops {
		clients = max(clients, l.Client+1)
	}
	for _, l := range a.ops {
		op := porcupine.Operation{ClientId: l.Client, Input: l, Output: l, Call: l.Start, Return: l.End}
		switch l.Outcome {
		case "ok", "denied":
		case "unknown":
			if l.Kind == "read" {
				continue
			}
			op.Return, op.ClientId = never, clients // its client has sent other operations since
			clients++
		default:
			return nil, fmt.Errorf("%s: outcome %q", a.Name, l.Outcome)
		}
		ops = append(ops, op)
	}
	final := line{Kind: "read", Outcome: "ok", Balance: a.Final}
	return append(ops, porcupine.Operation{ClientId: clients, Input: final, Output: final, Call: never - 1, Return: never}), nil
}
