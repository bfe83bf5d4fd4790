// Command migrate moves a made-up database of Unkey from a real MariaDB into three real nodes and checks that nothing is lost or granted twice:
// interrupted at random points and resumed, again, and in two passes while the old side charges. Then it runs the commands of docs/migrating.md.
//
//	go run ./scripts/migrate
//	go run ./scripts/migrate -keys 2000 -identities 400 -kills 3
//
// Exit code 0: all checks hold. 1: one does not, or the run could not be completed; logs and data stay, and the command prints their
// directory. 2: wrong usage. It needs mariadbd, of Debian's package mariadb-server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/creditd/creditd/scripts/launch"
	"github.com/creditd/creditd/scripts/unkeydb"
)

type settings struct {
	keys, identities, kills, charges int
	seed                             uint64
	binary                           string // empty: built
	only                             string // one check; empty: all
	dir                              string
}

func main() { launch.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s := settings{}
	flags := flag.NewFlagSet("migrate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&s.keys, "keys", 100_000, "keys of the database")
	flags.IntVar(&s.identities, "identities", 10_000, "identities of the database")
	flags.IntVar(&s.kills, "kills", 10, "how often the migration is killed")
	flags.IntVar(&s.charges, "charges", 5_000, "debits on the old side, at most")
	flags.Uint64Var(&s.seed, "seed", 0, "seed of the kills and debits (default: drawn)")
	flags.StringVar(&s.binary, "binary", "", "the `binary` that moves and serves (default: this checkout)")
	flags.StringVar(&s.only, "only", "", "one `check`: interrupted, cutover or page (default: all)")
	flags.StringVar(&s.dir, "dir", "", "where logs and data go (default a directory below chaos-out)")
	if flags.Parse(args) != nil || flags.NArg() > 0 || s.keys < 1000 || s.identities < 200 {
		_, _ = fmt.Fprintln(stderr, "migrate: at least 1000 keys and 200 identities, and no further arguments")
		return 2
	}
	s.seed = launch.Seed(s.seed)
	_, _ = fmt.Fprintf(stdout, "seed %d\n", s.seed)
	return launch.InWorkDir("migrate", s.dir, stderr, func(dir string) error { return suite(ctx, s, dir, stdout) })
}

// suite makes the database once, and a cluster for each check.
func suite(ctx context.Context, s settings, dir string, out io.Writer) (err error) {
	binary := s.binary
	if binary == "" {
		if binary, err = (launch.Build{}).Into(ctx, dir); err != nil {
			return err
		}
	}
	server, err := unkeydb.Start(ctx, filepath.Join(dir, "mariadb"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	for _, check := range []struct {
		name string
		run  func(context.Context, *bench) error
	}{
		{"interrupted", interrupted},
		{"cutover", cutover},
		{"page", page},
	} {
		if s.only != "" && s.only != check.name {
			continue
		}
		if err := one(ctx, s, filepath.Join(dir, check.name), check.name, binary, server, out, check.run); err != nil {
			return fmt.Errorf("%s: %w", check.name, err)
		}
	}
	return nil
}

// bench is one database and one cluster.
type bench struct {
	settings
	name, dir, binary string
	server            *unkeydb.Server
	set               *unkeydb.Set
	cluster           *launch.Cluster
	rootKey           string // of the migration
	out               io.Writer
}

func one(ctx context.Context, s settings, dir, name, binary string, server *unkeydb.Server, out io.Writer, check func(context.Context, *bench) error) (err error) {
	b := &bench{settings: s, name: name, dir: dir, binary: binary, server: server, out: out}
	if _, err := launch.WorkDir(dir); err != nil {
		return err
	}
	if b.set, err = server.Fill(ctx, name, unkeydb.Options{Keys: s.keys, Identities: s.identities, Now: time.Now()}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.set.DB.Close()) }()
	if b.cluster, err = launch.StartCluster(ctx, launch.Options{Binary: binary, Dir: dir, Nodes: 3, LogStore: "wal"}); err != nil {
		return err
	}
	defer b.cluster.Close()
	if err := b.permit(ctx); err != nil {
		return err
	}
	began := time.Now()
	if err := check(ctx, b); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "%s: passed in %s\n", name, time.Since(began).Round(time.Second))
	return b.cluster.StopAll()
}
