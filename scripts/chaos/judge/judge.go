package main

import (
	"errors"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// verdict is what the command prints.
type verdict struct {
	Accounts   int      `json:"accounts"`
	Operations int      `json:"operations"`
	Illegal    []string `json:"illegal"`   // balances that no order explains
	Undecided  []string `json:"undecided"` // balances whose search took too long
	Pictures   []string `json:"pictures"`
}

// maxPictures keeps a run that went thoroughly wrong from filling the disk.
const maxPictures = 5

func judgeFile(name string, timeout time.Duration, pictures string) (verdict, error) {
	accounts, err := read(name)
	if err != nil {
		return verdict{}, err
	}
	j := judge{timeout: timeout, pictures: pictures, verdict: verdict{Accounts: len(accounts), Illegal: []string{}, Undecided: []string{}}}
	slots := make(chan struct{}, runtime.NumCPU())
	var group sync.WaitGroup
	for _, a := range accounts {
		slots <- struct{}{}
		group.Go(func() {
			j.judge(a)
			<-slots
		})
	}
	group.Wait()
	return j.verdict, errors.Join(j.problems...)
}

// judge collects the verdicts on single balances.
type judge struct {
	timeout  time.Duration
	pictures string

	mu       sync.Mutex
	verdict  verdict
	problems []error
}

// judge looks at one balance: operations on different balances are independent, and linearizability is local.
func (j *judge) judge(a account) {
	ops, err := operations(a)
	model := balanceModel(a.Initial)
	var result porcupine.CheckResult
	var info porcupine.LinearizationInfo
	if err == nil {
		result, info = porcupine.CheckOperationsVerbose(model, ops, j.timeout)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.verdict.Operations += len(a.ops)
	switch {
	case err != nil:
		j.problems = append(j.problems, err)
	case result == porcupine.Unknown:
		j.verdict.Undecided = append(j.verdict.Undecided, a.Name)
	case result == porcupine.Illegal:
		j.verdict.Illegal = append(j.verdict.Illegal, a.Name)
		if len(j.verdict.Pictures) < maxPictures {
			picture := filepath.Join(j.pictures, a.Name+".html")
			if err := porcupine.VisualizePath(model, info, picture); err != nil {
				j.problems = append(j.problems, err)
				return
			}
			j.verdict.Pictures = append(j.verdict.Pictures, picture)
		}
	}
}
