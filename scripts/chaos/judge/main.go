// Command judge decides whether the record of a chaos run is linearizable: whether each answer can be explained by operations
// that took effect one at a time, each between its sending and its answer. It knows nothing of indexes or of creditd, only the
// rules of a balance. Porcupine does the search; so that it stays out of the product, this is a module of its own.
//
//	go -C scripts/chaos/judge run . [-timeout 60s] [-pictures DIR] history.jsonl
//
// It prints one JSON object. Exit code 0: linearizable as far as decided. 1: it is not; pictures show where. 2: it could not be judged.
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
	timeout := flag.Duration("timeout", time.Minute, "limit of the search for one balance")
	pictures := flag.String("pictures", "", "where to draw balances that are not linearizable (default: beside the record)")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if *pictures == "" {
		*pictures = filepath.Dir(flag.Arg(0))
	}
	verdict, err := judgeFile(flag.Arg(0), *timeout, *pictures)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(verdict)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(2)
	}
	if len(verdict.Illegal) > 0 {
		os.Exit(1)
	}
}
