// Command lincheck decides whether the record of a chaos run is linearizable: whether operations that took effect one at a time, each
// between its sending and its answer, explain every answer. It knows the rules of a balance, and neither indexes nor creditd.
// Porcupine does the search; to keep it out of the product, the command is a module of its own.
//
//	go -C scripts/chaos/lincheck run . [-timeout 60s] [-pictures DIR] history.jsonl
//
// It prints one JSON object. Exit code 0: linearizable as far as decided. 1: not linearizable; pictures show where. 2: the record
// could not be checked.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func main() {
	timeout := flag.Duration("timeout", time.Minute, "limit of the search for one account")
	pictures := flag.String("pictures", "", "where to draw accounts that are not linearizable (default: beside the record)")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if *pictures == "" {
		*pictures = filepath.Dir(flag.Arg(0))
	}
	result, err := checkFile(flag.Arg(0), *timeout, *pictures)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "lincheck:", err)
		os.Exit(2)
	}
	if len(result.Illegal) > 0 {
		os.Exit(1)
	}
}
