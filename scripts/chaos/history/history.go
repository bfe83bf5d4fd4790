// Package history keeps the record of a run as JSON lines: first one line per balance, then one per operation. The judge, a
// module of its own, reads them; so can anyone who looks for what went wrong.
package history

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/creditd/creditd/scripts/chaos/books"
)

type account struct {
	Account int    `json:"account"`
	Name    string `json:"name"`
	Initial int64  `json:"initial"`
	Final   int64  `json:"final"`
}

type operation struct {
	Account int    `json:"account"`
	Kind    string `json:"kind"`
	Amount  int64  `json:"amount,omitempty"`
	Outcome string `json:"outcome"`
	Balance int64  `json:"balance"`
	Index   uint64 `json:"index,omitempty"`
	Start   int64  `json:"start"` // nanoseconds since the start of the run
	End     int64  `json:"end"`
	Client  int    `json:"client"`
	Node    int    `json:"node"`
	Status  int    `json:"status,omitempty"`
	Detail  string `json:"detail,omitempty"`
}

// Save writes a record to a new file.
func Save(name string, owners []books.Owner, ops []books.Op) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	buffered := bufio.NewWriter(file)
	if err := write(buffered, owners, ops); err != nil {
		return err
	}
	return buffered.Flush()
}

func write(w io.Writer, owners []books.Owner, ops []books.Op) error {
	lines := json.NewEncoder(w)
	for i, o := range owners {
		if err := lines.Encode(account{Account: i, Name: o.Name, Initial: o.Initial, Final: o.Final}); err != nil {
			return err
		}
	}
	for _, op := range ops {
		line := operation{
			Account: op.Owner, Kind: op.Kind.String(), Amount: op.Amount, Outcome: op.Outcome.String(), Balance: op.Balance, Index: op.Index,
			Start: int64(op.Start), End: int64(op.End), Client: op.Client, Node: op.Node, Status: op.Status, Detail: op.Detail,
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return nil
}
