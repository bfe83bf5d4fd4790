package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/creditd/creditd/scripts/launch"
	"github.com/creditd/creditd/scripts/unkeydb"
)

// oldRootKey is what the API of the old side wants.
const oldRootKey = "old_root_key"

// environment is what the command reads its settings from.
func (b *bench) environment(rootKey string) []string {
	return []string{
		"CREDITD_DSN=" + b.server.DSN(unkeydb.Reader, unkeydb.ReaderPassword, b.name), "CREDITD_SOURCE_WORKSPACE=" + unkeydb.Workspace,
		"CREDITD_ADDR=" + strings.Join(b.cluster.HTTPAddrs(), ","), "CREDITD_ROOT_KEY=" + rootKey, "CREDITD_TIMEOUT=60s",
		"CREDITD_BALANCES_ROOT_KEY=" + oldRootKey,
	}
}

// permit makes the root key of the migration, with the permissions that it needs and no others.
func (b *bench) permit(ctx context.Context) error {
	client := launch.NewClient(b.cluster.HTTPAddr(0), time.Minute)
	defer client.Close()
	var made struct {
		Key string `json:"key"`
	}
	answer := client.Call(ctx, "rootKeys.createRootKey", map[string]any{"name": "migration", "permissions": []string{
		"import.*.write", "export.*.read", "api.*.delete_key", "api.*.delete_api", "api.*.read_api", "api.*.read_key", "identity.*.delete_identity",
		"ratelimit.*.read_override", "ratelimit.*.delete_override",
	}}, &made)
	b.rootKey = made.Key
	return answer.Err
}

// start starts creditd migrate unkey.
func (b *bench) start(stdout, stderr *bytes.Buffer, args ...string) (*launch.Process, error) {
	return launch.Start(launch.Command{
		Binary: b.binary, Args: append([]string{"migrate", "unkey", "--quiet", "--json"}, args...), Env: b.environment(b.rootKey), Stdout: stdout, Stderr: stderr,
	})
}

// migrate runs it to its end and reads what it prints.
func (b *bench) migrate(ctx context.Context, result any, args ...string) error {
	var stdout, stderr bytes.Buffer
	process, err := b.start(&stdout, &stderr, args...)
	if err != nil {
		return err
	}
	select {
	case <-process.Ended():
	case <-ctx.Done():
		process.Kill()
		return ctx.Err()
	}
	if !process.State().Success() {
		return fmt.Errorf("creditd migrate unkey %s ended with %v\n%s%s", strings.Join(args, " "), process.State(), &stdout, &stderr)
	}
	return json.Unmarshal(stdout.Bytes(), result)
}

// summary is what a pass prints.
type summary struct {
	Complete bool    `json:"complete"`
	Tables   []tally `json:"tables"`
}

type tally struct {
	Table    string         `json:"table"`
	Part     string         `json:"part"`
	Taken    int            `json:"taken"`
	NotTaken int            `json:"notTaken"`
	Partly   int            `json:"partly"`
	Noted    int            `json:"noted"`
	Removed  int            `json:"removed"`
	Skipped  map[string]int `json:"skipped"`
	Outcomes map[string]int `json:"outcomes"`
}

// kinds are the tables whose rows become records, and the kinds of these.
var kinds = map[string]string{
	"key_migrations": "migration", "permissions": "permission", "roles": "role", "apis": "api", "ratelimit_namespaces": "namespace",
	"ratelimit_overrides": "override", "identities": "identity", "keys": "key",
}

// expect compares a whole pass with what the database was made of.
func (b *bench) expect(s summary) error {
	problems := 0
	for _, n := range b.set.Expect.Problems {
		problems += n
	}
	found := 0
	for _, t := range s.Tables {
		found += t.NotTaken + t.Partly + t.Noted
		if t.Part != "" {
			continue // it takes nothing over
		}
		skipped := 0
		for _, n := range t.Skipped {
			skipped += n
		}
		if want := b.set.Expect.Skipped[t.Table]; skipped != want {
			return fmt.Errorf("%s: %d rows were skipped, not %d", t.Table, skipped, want)
		}
		if want := b.set.Expect.Taken[kinds[t.Table]]; t.Taken != want {
			return fmt.Errorf("%s: %d rows were taken over, not %d", t.Table, t.Taken, want)
		}
	}
	if !s.Complete || found != problems {
		return fmt.Errorf("complete: %v; %d problems, not %d", s.Complete, found, problems)
	}
	return nil
}

// wrote counts what a pass changed in the cluster.
func (s summary) wrote() (n int) {
	for _, t := range s.Tables {
		n += t.Outcomes["created"] + t.Outcomes["replaced"] + t.Removed
	}
	return n
}

// removed counts what a pass deleted in the cluster.
func (s summary) removed() (n int) {
	for _, t := range s.Tables {
		n += t.Removed
	}
	return n
}

// comparison is what --verify prints.
type comparison struct {
	Compared    map[string]int `json:"compared"`
	Balances    int            `json:"balances"`
	Differences int            `json:"differences"`
}

// verify demands that both sides agree, in as many things as there are.
func (b *bench) verify(ctx context.Context) error {
	var c comparison
	if err := b.migrate(ctx, &c, "--verify", "--report", filepath.Join(b.dir, "verify.ndjson")); err != nil {
		return err
	}
	for kind, want := range b.set.Expect.Taken {
		if c.Compared[kind] != want {
			return fmt.Errorf("--verify compared %d of kind %s, not %d", c.Compared[kind], kind, want)
		}
	}
	if c.Differences != 0 || c.Balances == 0 {
		return fmt.Errorf("--verify found %d differences and compared %d balances", c.Differences, c.Balances)
	}
	return nil
}

// balances sums the balances without a refill that the API shows: what the verification says is not all that is believed.
func (b *bench) balances(ctx context.Context) (sum uint64, err error) {
	err = b.eachKey(ctx, func(k listedKey) error {
		if k.Credits != nil && k.Credits.Refill == nil {
			sum += k.Credits.Remaining
		}
		return nil
	})
	return sum, err
}
