package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/cmd/creditd/internal/migrate"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

var _ = register(registration{use: "migrate", short: "move from another system", long: "Moves keys, identities and balances from another system."})

var _ = register(registration{group: "migrate", use: "unkey", short: "move from the database of an Unkey deployment",
	long: `Reads the MySQL database of an Unkey deployment and writes what it has through the API: APIs, keys,
identities, balances, roles, permissions, rate limits and migrations, with their ids and times. It
changes nothing in the database. What the cluster cannot keep is reported and never guessed.

It may be interrupted at any moment and started again. A second run changes nothing. The page
docs/migrating.md has the whole way, and how to go back. The root key needs import.*.write, for the
first pass api.*.read_api, with --verify export.*.read, and to follow deletions the permissions that
the page lists.`,
	make: func() command { return &migrateUnkey{rule: "replace", flight: 8} }})

// migrateUnkey is `creditd migrate unkey`.
type migrateUnkey struct {
	operator
	output

	dsn, dsnFile    string
	sourceWorkspace string
	workspace       string // of the cluster
	conf            *mysql.Config

	rule               string
	since              string
	dryRun, verify     bool
	anew               bool
	report, state      string
	flight             int
	balancesFrom       string
	balancesKey        string
	balancesKeyFile    string
	sinceAt            time.Time
	sinceLast, noShown bool
	wait               time.Duration // for the export of --verify
}

func (m *migrateUnkey) bind(s *settings.Set) {
	s.Group("Source")
	s.Text(&m.dsn, "dsn", "DSN", "the database, such as user:password@tcp(db.example:3306)/unkey; the variable keeps it out of the process list")
	s.Text(&m.dsnFile, "dsn-file", "FILE", "file that holds the DSN")
	s.Text(&m.sourceWorkspace, "source-workspace", "ID", "workspace to read; without it that of --workspace, or the only one of the database")
	s.Text(&m.balancesFrom, "balances-from", "URL", "ask the old API for the balances of keys, which may be newer than those of the database")
	s.Text(&m.balancesKey, "balances-root-key", "KEY", "root key of the old API")
	s.Text(&m.balancesKeyFile, "balances-root-key-file", "FILE", "file that holds it")

	m.operator.bind(s)
	s.Text(&m.workspace, "workspace", "ID", "workspace of the cluster that gets the records; without it that of the root key")
	settings.Number(s, &m.flight, "in-flight", 1, 256, "requests at once")

	s.Group("Pass")
	s.Switch(&m.dryRun, "dry-run", "count rows and report problems, and write nothing")
	s.Switch(&m.verify, "verify", "compare the database with the cluster, and write nothing")
	m.wait = 10 * time.Minute
	s.Duration(&m.wait, "wait", 0, "with --verify, how long to wait in all while nodes make another export, or the exports of the workspace rest")
	s.Text(&m.since, "since", "TIME", "only what changed since a time, or since a duration ago, or since the last pass of --state (last); balances move by their difference")
	s.Switch(&m.anew, "begin-anew", "after going back and migrate finish: the balances of the cluster become those of the source, and are followed again")
	settings.Choice(s, &m.rule, "on-conflict", "what happens to what the cluster has and is different", "fail", "skip", "replace")
	s.Text(&m.report, "report", "FILE", "write every problem to a file, one JSON object a line")
	s.Text(&m.state, "state", "FILE", "keep how far the pass came, so that it goes on there")
	s.Switch(&m.noShown, "quiet", "show no progress")
	m.output.bind(s)
}

func (m *migrateUnkey) check(in invocation, s *settings.Set) {
	m.checkSource(s)
	if m.dryRun && m.verify {
		s.Refuse("verify", "--dry-run reads only the database; use one of the two")
	}
	switch {
	case m.since == "":
	case m.since == "last":
		m.sinceLast = true
		if m.state == "" {
			s.Refuse("since", "last means the last pass of --state, which names no file")
		}
	default:
		var err error
		if m.sinceAt, err = parsePast(m.since, in.now); err != nil {
			s.Refuse("since", "%q: %v; or last", m.since, err)
		} else if m.sinceAt.After(in.now) {
			s.Refuse("since", "%q: not over yet", m.since)
		}
	}
	if m.anew && (m.since != "" || m.dryRun || m.verify || m.rule != "replace") {
		s.Refuse("begin-anew", "it is a complete pass that replaces: without --since, --dry-run, --verify and --on-conflict")
	}
	if m.since != "" && m.verify {
		s.Refuse("since", "--verify compares everything")
	}
	if m.dryRun { // needs no cluster
		return
	}
	m.operator.check(in, s)
	if m.balancesFrom != "" {
		var err error
		if m.balancesFrom, err = parseNodeURL(m.balancesFrom); err != nil {
			s.Refuse("balances-from", "%v", err)
		}
		if _, ok := choose(s, "balances-root-key", "root key", &m.balancesKey, m.balancesKeyFile); !ok && s.Fine("balances-root-key", "balances-root-key-file") {
			s.Refuse("balances-root-key", "missing; the old API wants one")
		}
		warnOfArgument(s, "balances-root-key", "CREDITD_BALANCES_ROOT_KEY")
	}
}

func (m *migrateUnkey) checkSource(s *settings.Set) {
	name, ok := choose(s, "dsn", "DSN", &m.dsn, m.dsnFile)
	if !ok {
		if s.Fine("dsn", "dsn-file") {
			s.Refuse("dsn", "missing; name the database with CREDITD_DSN, --dsn-file or --dsn")
		}
		return
	}
	var err error
	if m.conf, err = unkey.ParseDSN(m.dsn); err != nil {
		s.Refuse(name, "%v", err)
		return
	}
	if m.conf.Passwd != "" {
		warnOfArgument(s, "dsn", "CREDITD_DSN")
	}
}

func (m *migrateUnkey) run(in invocation) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	gatherGarbage()
	source, err := unkey.Open(ctx, m.conf, m.sourceWorkspace, m.workspace)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	pass := &migrate.Pass{Source: source, Rule: m.rule, Flight: m.flight, Anew: m.anew}
	defer func() { err = errors.Join(err, pass.Report.Close()) }()
	if !m.dryRun {
		pass.Target = migrate.NewTarget(m.nodes, m.workspace)
	}
	if err := m.place(ctx, in, pass); err != nil {
		return advise(err)
	}
	if m.balancesFrom != "" {
		pass.Balances = migrate.NewBalances(client.New(client.Config{
			Node: m.balancesFrom, RootKey: m.balancesKey, Timeout: m.timeout, DialTimeout: dialTimeout, Proxy: http.ProxyFromEnvironment,
		}))
	}
	if !m.noShown {
		pass.Progress = migrate.NewProgress(in.stderr)
		defer pass.Progress.Close()
	}
	if m.verify {
		return m.compare(ctx, in, pass)
	}
	summary, err := pass.Run(ctx)
	if err != nil && ctx.Err() != nil {
		err = migrate.ErrInterrupted
	}
	if len(summary.Tables) == 0 {
		return advise(err)
	}
	if n := summary.Problems(); n > 0 && m.report == "" {
		fmt.Fprintf(in.stderr, "%d problems; --report FILE names each row, and why\n", n)
	}
	return errors.Join(advise(err), m.print(in.stdout, summary, summary.WriteText))
}

// compare reads both sides. Differences are a failure, so that a script can decide.
func (m *migrateUnkey) compare(ctx context.Context, in invocation, pass *migrate.Pass) error {
	file, err := m.export(ctx, in)
	if err != nil {
		return err
	}
	found, err := migrate.Verify(ctx, pass.Source, file, pass.Report, pass.Progress)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := m.print(in.stdout, found, found.WriteText); err != nil {
		return err
	}
	if found.Differences > 0 {
		return fmt.Errorf("source and cluster differ in %d places", found.Differences)
	}
	return nil
}

// export asks one node after the other, because a node makes one export at a time. If none of them may make one yet, it waits.
func (m *migrateUnkey) export(ctx context.Context, in invocation) (io.ReadCloser, error) {
	request := map[string]string{}
	if m.workspace != "" {
		request["workspaceId"] = m.workspace
	}
	file, _, err := waitForExport(ctx, in.stderr, m.wait, func(minIndex uint64) (io.ReadCloser, http.Header, error) {
		var failed error
		var soonest *client.Error // of the nodes that may make one later
		for _, node := range m.nodes {
			file, header, err := node.Stream(ctx, "records.exportRecords", request, minIndex)
			if err == nil {
				return file, header, nil
			}
			var refused *client.Error
			if errors.As(err, &refused) && refused.Status == http.StatusTooManyRequests && (soonest == nil || refused.RetryAfter < soonest.RetryAfter) {
				soonest = refused
			}
			failed = errors.Join(failed, err)
		}
		if soonest != nil {
			return nil, nil, soonest
		}
		return nil, nil, failed
	})
	if err != nil {
		return nil, advise(err)
	}
	return file, nil
}

// place opens the state and the report, and says which rows the pass reads.
func (m *migrateUnkey) place(ctx context.Context, in invocation, pass *migrate.Pass) (err error) {
	kept := int64(0)
	pass.Since = m.sinceAt
	if m.state != "" && !m.verify {
		place := migrate.Place{Workspace: pass.Source.Workspace(), Source: pass.Source.Name()}
		if pass.Target != nil {
			there, err := pass.Target.Place(ctx)
			if err != nil {
				return err
			}
			place.Cluster, place.ClusterWorkspace = there.ClusterID, there.WorkspaceID
		}
		if pass.State, err = migrate.LoadState(m.state, place); err != nil {
			return err
		}
		goesOn := false
		if pass.Since, goesOn, err = pass.State.Begin(pass.Source.Now(), migrate.Wanted{DryRun: m.dryRun, Since: m.sinceAt, Last: m.sinceLast, Anew: m.anew}); err != nil {
			return err
		}
		if kept = pass.State.Report; goesOn {
			fmt.Fprintf(in.stderr, "going on with the pass that began at %s\n", moment(pass.State.Started))
		}
	}
	if m.report != "" {
		if pass.Report, err = migrate.OpenReport(m.report, kept); err != nil {
			return err
		}
	}
	return pass.State.Write(pass.Report)
}
