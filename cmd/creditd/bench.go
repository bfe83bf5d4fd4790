package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/creditd/creditd/cmd/creditd/internal/load"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

var _ = register(registration{use: "bench", short: "put load on nodes and measure them",
	long: `Puts load on nodes with keys.verifyKey and measures what the caller sees. It creates an API and
keys of its own first, and removes them at the end; with --keep they stay. The report goes to
stdout, one line a second to stderr. The root key needs create_api, create_key, verify_key and
delete_api of api.*, and with --identity-shared create_identity and delete_identity of identity.*.`,
	make: func() command { return &benchCommand{config: load.DefaultConfig()} }})

// benchCommand is `creditd bench`.
type benchCommand struct {
	config  load.Config
	rootKey rootKeySettings
	tls     tlsSettings
	output  output
}

func (b *benchCommand) bind(s *settings.Set) {
	s.Group("Node")
	s.Items(&b.config.Addrs, "addr", "URL", "HTTP address of a node, as URL or HOST:PORT", func(item string) (string, error) {
		address := item
		for _, scheme := range schemes {
			address = strings.TrimPrefix(address, scheme)
		}
		_, err := parseAddress(address)
		return item, err
	})
	b.rootKey.bind(s)
	b.tls.bind(s)
	s.Duration(&b.config.Timeout, "timeout", time.Millisecond, "limit of one measured request")

	s.Group("Load")
	settings.Number(s, &b.config.Connections, "connections", 1, 65536, "concurrent connections")
	s.Duration(&b.config.Duration, "duration", time.Millisecond, "measured time")
	s.Duration(&b.config.Warmup, "warmup", 0, "load before the measured time")
	settings.Value(s, &b.config.Rate, "rate", "N", "requests a second to send at fixed times; without it each connection sends as fast as answers come", parseRate)
	settings.Number(s, &b.config.Batch, "batch", 0, load.MaxBatch, "verifications in one request to keys.verifyKeys; without it each request verifies one key")

	s.Group("Keys")
	settings.Number(s, &b.config.Keys, "keys", 1, 10_000_000, "keys to create and verify")
	settings.Number(s, &b.config.Cost, "cost", 0, 1_000_000_000_000, "credits that one verification costs")
	settings.Number(s, &b.config.Credits, "credits", 0, math.MaxInt64, "credits of each key (of each identity with --identity-shared)")
	s.Switch(&b.config.IdentityShared, "identity-shared", "groups of ten keys share the credits of an identity")

	s.Switch(&b.config.Keep, "keep", "leave the API, the keys and the identities of the run in the ledger")

	b.output.bind(s)
}

func parseRate(raw string) (float64, error) {
	rate, err := strconv.ParseFloat(raw, 64)
	if err != nil || rate < 0 || math.IsNaN(rate) || math.IsInf(rate, 0) {
		return 0, errors.New("not a number of requests a second")
	}
	return rate, nil
}

func (b *benchCommand) check(_ invocation, s *settings.Set) {
	b.rootKey.check(s)
	b.config.RootKey = b.rootKey.key
	b.checkAddresses(s)
	switch count := len(b.config.Addrs); {
	case count == 0 && s.Fine("addr"):
		s.Refuse("addr", "missing; name at least one node")
	case b.config.Connections < count && s.Fine("connections"):
		s.Refuse("connections", "%d connections cannot reach %d addresses", b.config.Connections, count)
	}
}

// checkAddresses takes the schemes off the addresses. All nodes are measured in the same way.
func (b *benchCommand) checkAddresses(s *settings.Set) {
	conf, secured := b.tls.check(s), 0
	for i, addr := range b.config.Addrs {
		if strings.HasPrefix(addr, "https://") || b.tls.wanted() && !hasScheme(addr) {
			secured++
		}
		for _, scheme := range schemes {
			addr = strings.TrimPrefix(addr, scheme)
		}
		b.config.Addrs[i] = addr
	}
	switch {
	case secured == 0 && !b.tls.wanted():
	case secured < len(b.config.Addrs):
		s.Refuse("addr", "%d of %d addresses are https: name them all in the same way", secured, len(b.config.Addrs))
	case conf == nil:
		b.config.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	default:
		b.config.TLS = conf
	}
}

func (b *benchCommand) run(in invocation) error {
	b.config.Progress = in.stderr
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	report, err := load.Run(ctx, b.config)
	if report == nil {
		return err
	}
	err = errors.Join(b.output.print(in.stdout, report, report.WriteText), err)
	if err == nil && !report.OK() {
		err = fmt.Errorf("%d of %d requests did not end as expected", report.Failures, report.Failures+report.Requests)
	}
	return err
}
