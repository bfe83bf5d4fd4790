package main

import (
	"errors"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// result is what the command prints.
type result struct {
	Accounts   int      `json:"accounts"`
	Operations int      `json:"operations"`
	Illegal    []string `json:"illegal"`   // accounts that no order explains
	Undecided  []string `json:"undecided"` // accounts whose search took too long
	Pictures   []string `json:"pictures"`
}

// maxPictures keeps a run that went thoroughly wrong from filling the disk.
const maxPictures = 5

func checkFile(name string, timeout time.Duration, pictures string) (result, error) {
	accounts, err := read(name)
	if err != nil {
		return result{}, err
	}
	c := checker{timeout: timeout, pictures: pictures, result: result{Accounts: len(accounts), Illegal: []string{}, Undecided: []string{}}}
	slots := make(chan struct{}, runtime.NumCPU())
	var group sync.WaitGroup
	for _, a := range accounts {
		slots <- struct{}{}
		group.Go(func() {
			c.check(a)
			<-slots
		})
	}
	group.Wait()
	return c.result, errors.Join(c.problems...)
}

// checker collects the results of single accounts.
type checker struct {
	timeout  time.Duration
	pictures string

	mu       sync.Mutex
	result   result
	problems []error
}

// check looks at one account: operations on different accounts are independent, and linearizability is local.
func (c *checker) check(a account) {
	ops, err := operations(a)
	model := balanceModel(a.Initial)
	var found porcupine.CheckResult
	var info porcupine.LinearizationInfo
	if err == nil {
		found, info = porcupine.CheckOperationsVerbose(model, ops, c.timeout)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Operations += len(a.ops)
	switch {
	case err != nil:
		c.problems = append(c.problems, err)
	case found == porcupine.Unknown:
		c.result.Undecided = append(c.result.Undecided, a.Name)
	case found == porcupine.Illegal:
		c.result.Illegal = append(c.result.Illegal, a.Name)
		if len(c.result.Pictures) < maxPictures {
			picture := filepath.Join(c.pictures, a.Name+".html")
			if err := porcupine.VisualizePath(model, info, picture); err != nil {
				c.problems = append(c.problems, err)
				return
			}
			c.result.Pictures = append(c.result.Pictures, picture)
		}
	}
}
