package api

import (
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

// field converts a field that is absent, null or a value: docs/contract.md 1.8.
func field[From, To any](n schema.Nullable[From], convert func(From) To) fsm.Field[To] {
	switch {
	case n.Set():
		return fsm.Set(convert(n.Value))
	case n.Null():
		return fsm.Clear[To]()
	}
	return fsm.Field[To]{}
}

func same[T any](v T) T { return v }

func text[T ~string](v T) string { return string(v) }
