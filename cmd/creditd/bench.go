package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/creditd/creditd/cmd/creditd/internal/load"
)

// benchCommand is `creditd bench`: the figures go to stdout, one line a second while it runs to stderr.
func benchCommand(args []string, stdout, stderr io.Writer) int {
	config, asJSON, err := parseBench(args, os.Getenv("CREDITD_ROOT_KEY"), stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "creditd bench: %v\n'creditd help bench' lists the settings.\n", err)
		return exitUsage
	}
	config.Progress = stderr

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	report, err := load.Run(ctx, config)
	if err == nil && asJSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(report)
	} else if err == nil {
		err = report.WriteText(stdout)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "creditd bench: %v\n", err)
		return exitFailed
	}
	if !report.OK() {
		_, _ = fmt.Fprintf(stderr, "creditd bench: %d of %d requests did not end as expected\n",
			report.Failures, report.Failures+report.Requests)
		return exitFailed
	}
	return exitDone
}

// parseBench turns flags into a validated configuration; --help is answered on stdout. The root key of the environment
// is the flag's default, and help does not show it.
func parseBench(args []string, rootKey string, stdout io.Writer) (config load.Config, asJSON bool, err error) {
	config = load.DefaultConfig()
	defaults := config.Addrs
	config.Addrs = nil
	flags := flag.NewFlagSet("creditd bench", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // a wrong flag is reported once, by the caller
	flags.Usage = func() {}
	flags.Func("addr", "HTTP `address` of a node, repeatable or comma-separated (default "+defaults[0]+")", func(list string) error {
		for addr := range strings.SplitSeq(list, ",") {
			config.Addrs = append(config.Addrs, strings.TrimPrefix(strings.TrimSpace(addr), "http://"))
		}
		return nil
	})
	flags.StringVar(&config.RootKey, "root-key", "", "root `key` (default $CREDITD_ROOT_KEY)")
	flags.IntVar(&config.Connections, "connections", config.Connections, "concurrent connections")
	flags.DurationVar(&config.Duration, "duration", config.Duration, "measured time")
	flags.DurationVar(&config.Warmup, "warmup", config.Warmup, "load before the measured time")
	flags.DurationVar(&config.Timeout, "timeout", config.Timeout, "limit of one request")
	flags.IntVar(&config.Keys, "keys", config.Keys, "keys to create and verify")
	flags.Int64Var(&config.Cost, "cost", config.Cost, "credits that one verification costs")
	flags.Int64Var(&config.Credits, "credits", config.Credits, "credits of each key (of each identity with -identity-shared)")
	flags.IntVar(&config.Batch, "batch", 0, "verifications of one request to keys.verifyKeys, up to 1000; 0 verifies one key a request")
	flags.BoolVar(&config.IdentityShared, "identity-shared", false, "groups of ten keys share the credits of an identity")
	flags.Float64Var(&config.Rate, "rate", 0, "requests/s to send at fixed times; 0 sends as fast as answers come")
	flags.BoolVar(&asJSON, "json", false, "print the report as JSON")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		_, _ = fmt.Fprint(stdout, "Usage: creditd bench [flags]\n\nPut nodes under load with keys.verifyKey and measure what the caller sees.\n"+
			"It creates an API and keys of its own first.\n\n")
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return config, false, err
	} else if err != nil {
		return config, false, err
	}
	if flags.NArg() > 0 {
		return config, false, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if len(config.Addrs) == 0 {
		config.Addrs = defaults
	}
	if config.RootKey == "" {
		config.RootKey = rootKey
	}
	return config, asJSON, config.Validate()
}
