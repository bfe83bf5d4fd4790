package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// line is a line of the record: an account if it has a name, else an operation on one.
type line struct {
	Account int    `json:"account"`
	Name    string `json:"name"`
	Initial int64  `json:"initial"`
	Final   int64  `json:"final"`

	Kind    string `json:"kind"`
	Amount  int64  `json:"amount"`
	Outcome string `json:"outcome"`
	Balance int64  `json:"balance"`
	Start   int64  `json:"start"`
	End     int64  `json:"end"`
	Client  int    `json:"client"`
}

// account is one account with its operations.
type account struct {
	line
	ops []line
}

func read(name string) ([]account, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() // it was only read
	var accounts []account
	lines := json.NewDecoder(bufio.NewReader(file))
	for number := 1; ; number++ {
		var l line
		if err := lines.Decode(&l); errors.Is(err, io.EOF) {
			return accounts, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, number, err)
		}
		switch {
		case l.Name != "" && l.Account == len(accounts):
			accounts = append(accounts, account{line: l})
		case l.Name == "" && l.Account >= 0 && l.Account < len(accounts):
			accounts[l.Account].ops = append(accounts[l.Account].ops, l)
		default:
			return nil, fmt.Errorf("%s, line %d: no such account", name, number)
		}
	}
}
