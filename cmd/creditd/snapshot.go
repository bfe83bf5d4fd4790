package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/cluster/backup"
	"github.com/creditd/creditd/cluster/generation"
	"github.com/creditd/creditd/cluster/recovery"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

var _ = register(registration{use: "snapshot", short: "back up a cluster, check and restore a backup",
	long: `A snapshot is the whole ledger of a cluster at one log index: all workspaces, root keys, keys (as
hashes), balances, idempotency records and audit logs. docs/operating.md has the procedures.`})

var _ = register(registration{group: "snapshot", use: "save FILE", short: "back up a running cluster",
	long: `Writes the whole ledger of a running cluster, as it is at one log index, to FILE. Any node can be
asked, and writes go on meanwhile. The snapshot is checked while it is written; FILE appears once
it is complete and on disk. An interrupted command leaves no FILE.

The root key needs the permission backup.*.read. Of several --addr, the leader is asked last: it has
most to do. This needs cluster.*.read as well.`,
	make: func() command { return &snapshotSave{} }})

type snapshotSave struct {
	operator
	stall, wait time.Duration
}

func (c *snapshotSave) bind(s *settings.Set) {
	c.operator.bind(s)
	c.stall, c.wait = time.Minute, 10*time.Minute
	s.Duration(&c.stall, "stall", time.Second, "how long the node may send nothing before the command fails")
	s.Duration(&c.wait, "wait", 0, waitHelp)
}

func (c *snapshotSave) run(in invocation) (err error) {
	c.askFollowersFirst()
	watch := newStallWatch(c.stall)
	defer watch.stop()
	ctx, stop := untilSignal(in, nil)
	defer stop()
	defer context.AfterFunc(ctx, watch.stop)()
	body, _, err := waitForExport(ctx, in.stderr, c.wait, func(minIndex uint64) (io.ReadCloser, http.Header, error) {
		return c.stream(watch, "cluster.saveSnapshot", struct{}{}, minIndex)
	})
	if err != nil {
		return advise(watch.explain(err))
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	file, err := createWhole(in.args[0])
	if err != nil {
		return err
	}
	defer file.discard()
	counted := &countingWriter{Writer: file}
	saved, err := backup.Inspect(io.TeeReader(watch.reader(body), counted), replica.Reads(version))
	if err != nil {
		return fmt.Errorf("the snapshot was not saved: %w", errors.Join(err, ctx.Err()))
	}
	if err := file.keep(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(in.stdout, "saved    %s\nindex    %d\nbytes    %d\nsha256   %x\n", in.args[0], saved.Header.Index, counted.bytes, saved.SHA256)
	return err
}

type countingWriter struct {
	io.Writer
	bytes int64
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.bytes += int64(n)
	return n, err
}

var _ = register(registration{group: "snapshot", use: "inspect FILE", short: "show what a backup holds",
	long: `Shows what a snapshot holds: cluster, log index, time, the build that it takes, and the number of
records. Reads the whole file and checks its SHA-256.`,
	make: func() command { return &snapshotCheck{read: backup.Inspect} }})

var _ = register(registration{group: "snapshot", use: "verify FILE", short: "check a backup as a node would",
	long: `Checks a snapshot as a node would that starts with it: SHA-256, every record, the digest of the
whole ledger, and the sum of all balances. Needs as much memory as a node with this ledger.`,
	make: func() command { return &snapshotCheck{read: backup.Verify, verified: true} }})

// snapshotCheck reads a whole file and shows what it holds.
type snapshotCheck struct {
	output
	read     func(io.Reader, store.Versions) (backup.Summary, error)
	verified bool
}

func (c *snapshotCheck) bind(s *settings.Set)            { c.output.bind(s) }
func (c *snapshotCheck) check(invocation, *settings.Set) {}

// snapshotShown is a snapshot as programs see it. It only grows.
type snapshotShown struct {
	File          string         `json:"file"`
	Format        int            `json:"format"`
	ClusterID     string         `json:"clusterId"`
	Generation    string         `json:"generation"`
	Index         uint64         `json:"index"`
	Term          uint64         `json:"term"`
	LedgerVersion uint64         `json:"ledgerVersion"`
	RaisedBy      string         `json:"raisedBy,omitempty"`
	Build         string         `json:"build"`
	NodeID        string         `json:"nodeId"`
	CreatedAt     int64          `json:"createdAt"` // Unix ms
	LogTime       int64          `json:"logTime"`   // Unix ms
	Digest        string         `json:"digest"`
	Records       int            `json:"records"`
	Counts        map[string]int `json:"counts"`
	SHA256        string         `json:"sha256"`
	Verified      bool           `json:"verified"`
}

func (c *snapshotCheck) run(in invocation) (err error) {
	file, err := os.Open(in.args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	s, err := c.read(file, replica.Reads(version))
	if err != nil {
		return fmt.Errorf("%s: %w", in.args[0], err)
	}
	h, id := s.Header, generation.Parse(s.Header.ClusterID)
	shown := snapshotShown{
		File: in.args[0], Format: h.Format, ClusterID: id.Base, Generation: id.Generation(), Index: h.Index, Term: h.Term, LedgerVersion: h.LedgerVersion,
		RaisedBy: h.RaisedBy, Build: h.Build, NodeID: h.NodeID, CreatedAt: h.CreatedAt, LogTime: h.LogTime, Digest: hex.EncodeToString(h.Digest),
		Records: h.Records, Counts: countsByName(s.Kinds), SHA256: hex.EncodeToString(s.SHA256), Verified: c.verified,
	}
	return c.print(in.stdout, shown, func(w io.Writer) error { return printTable(w, nil, shown.rows()) })
}

func (s snapshotShown) rows() [][]string {
	takes := fmt.Sprintf("a build that reads ledger version %d", s.LedgerVersion)
	if s.RaisedBy != "" {
		takes += ", such as creditd " + s.RaisedBy
	}
	rows := [][]string{
		{"cluster", s.ClusterID}, {"generation", s.Generation}, {"index", fmt.Sprint(s.Index)}, {"term", fmt.Sprint(s.Term)},
		{"created", moment(s.CreatedAt) + " by " + s.NodeID + ", creditd " + s.Build}, {"log time", moment(s.LogTime)},
		{"takes", takes}, {"digest", s.Digest}, {"sha256", s.SHA256},
		{"checked", map[bool]string{true: "the whole ledger", false: "the file; 'creditd snapshot verify' checks the ledger"}[s.Verified]},
		{"records", fmt.Sprint(s.Records)},
	}
	for _, name := range slices.Sorted(maps.Keys(s.Counts)) {
		rows = append(rows, []string{"  " + name, strconv.Itoa(s.Counts[name])})
	}
	return rows
}

var kindNames = map[fsm.Kind]string{
	fsm.MetaKind: "ledger", fsm.WorkspaceKind: "workspaces", fsm.RootKeyKind: "rootKeys", fsm.APIKind: "apis", fsm.MigrationKind: "migrations",
	fsm.PermissionKind: "permissions", fsm.RoleKind: "roles", fsm.IdentityKind: "identities", fsm.KeyKind: "keys",
	fsm.IdentityCreditKind: "identityBalances", fsm.KeyCreditKind: "keyBalances", fsm.ImportMarkKind: "importMarks",
	fsm.NamespaceKind: "ratelimitNamespaces", fsm.OverrideKind: "ratelimitOverrides", fsm.WindowKind: "ratelimitWindows",
	fsm.SessionKind: "sessions", fsm.AuditKind: "auditEntries", fsm.IdempotencyKind: "idempotencyRecords",
}

// countsByName names kinds; one of a later build has its number.
func countsByName(kinds map[fsm.Kind]int) map[string]int {
	counts := make(map[string]int, len(kinds))
	for kind, n := range kinds {
		counts[cmp.Or(kindNames[kind], fmt.Sprintf("kind%d", kind))] += n
	}
	return counts
}

var _ = register(registration{group: "snapshot", use: "restore FILE", short: "make a data directory of a backup",
	long: `Makes the data directory of a new node of a snapshot, after checking all of it. The directory must
be missing or empty. Start the node with 'creditd server': it is a cluster of one, and other nodes
join it with empty directories. No node of the old cluster can join with its data.

The new cluster has an id of its own. With --keep-id it is the next generation of the old one.`,
	make: func() command { return &snapshotRestore{} }})

type snapshotRestore struct {
	offline
	keepID bool
}

func (c *snapshotRestore) bind(s *settings.Set) {
	c.offline.bind(s, "the data directory to make; required")
	settings.Choice(s, &c.options.LogStore, "log-store", "kind of Raft log (without it "+string(store.DefaultLog)+")", string(store.LogBolt), string(store.LogWAL))
	s.Switch(&c.keepID, "keep-id", "keep the id of the cluster; the restored one is its next generation")
}

func (c *snapshotRestore) run(in invocation) (err error) {
	file, err := os.Open(in.args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := becomeOwner(c.options.Dir); err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	clusterID := ""
	if !c.keepID {
		clusterID = mint.ID("cluster")
	}
	done, err := recovery.Restore(file, c.options, clusterID)
	if err != nil {
		return fmt.Errorf("%s: %w", in.args[0], err)
	}
	id := generation.Parse(done.ClusterID)
	return printTable(in.stdout, nil, [][]string{
		{"restored", c.options.Dir}, {"cluster", id.Base + ", generation " + id.Generation()}, {"node", done.NodeID},
		{"index", fmt.Sprint(done.Backup.Index)}, {"log time", moment(done.Backup.LogTime)}, {"records", fmt.Sprint(done.Backup.Records)},
	})
}

// offline has the settings of a command that works on the data directory of a stopped node.
type offline struct{ options store.Options }

func (o *offline) bind(s *settings.Set, usage string) {
	s.Group("Data")
	s.Text(&o.options.Dir, "data-dir", "DIR", usage)
}

func (o *offline) check(_ invocation, s *settings.Set) {
	if o.options.Dir == "" {
		s.Refuse("data-dir", "missing; name the data directory")
	}
	o.options.Reads = replica.Reads(version)
}
