package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

var _ = register(registration{group: "cluster", use: "status", short: "show every node: membership, role, health, addresses, progress",
	long: `Shows the cluster as one node knows it, also while there is no leader. Of several --addr, the first
node that answers is asked. Nodes that hold the same state have the same digest: compare them once
writes have stopped, or at the same index, which stands behind the @.

With TLS it shows when the first certificate ends, and warns of each one that ends within 30 days.

The exit code is 1 if there is no leader, or if a voter does not answer.`,
	make: func() command { return &clusterStatus{} }})

type clusterStatus struct {
	reporter
	watch bool
}

func (c *clusterStatus) bind(s *settings.Set) {
	c.reporter.bind(s)
	s.Switch(&c.watch, "watch", "show it again every 2s until SIGINT; a node that does not answer is no end")
}

// watchInterval is how often --watch asks.
const watchInterval = 2 * time.Second

// askedStatus is a status and the address of the node that gave it.
type askedStatus struct {
	api.Status
	Addr string `json:"addr"`
}

func (c *clusterStatus) run(in invocation) error {
	if c.watch {
		return c.watching(in)
	}
	return c.show(in)
}

// watching shows the status again and again. On a terminal each takes the place of the one before.
func (c *clusterStatus) watching(in invocation) error {
	ctx, stop := untilSignal(in, nil)
	defer stop()
	again := time.NewTicker(watchInterval)
	defer again.Stop()
	for {
		if isTerminal(in.stdout) && !c.inJSON() {
			fmt.Fprint(in.stdout, "\x1b[H\x1b[2J")
		}
		if err := c.show(in); err != nil {
			fmt.Fprintln(in.stderr, err)
		}
		select {
		case <-again.C:
			fmt.Fprintln(in.stdout)
		case <-ctx.Done():
			return nil
		}
	}
}

// isTerminal reports whether an input or output of the process is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// show asks once.
func (c *clusterStatus) show(in invocation) error {
	asked, err := c.status()
	if err != nil {
		return err
	}
	if err := c.print(in.stdout, asked, func(w io.Writer) error { return printStatus(w, asked, time.Now()) }); err != nil {
		return err
	}
	return missing(asked.Status)
}

// status asks one node after the other until one shows what it knows.
func (o *operator) status() (asked askedStatus, err error) {
	var failed []error
	for _, node := range o.nodes {
		answer := node.Call(context.Background(), "cluster.getStatus", struct{}{}, &asked.Status)
		if answer.Err == nil {
			asked.Addr = node.Node()
			return asked, nil
		}
		failed = append(failed, advise(answer.Err))
		if answer.Status >= 400 && answer.Status < 500 {
			break // the others would say the same of this request
		}
	}
	return asked, errors.Join(failed...)
}

// missing says what keeps the cluster from being whole: no leader, or voters that do not answer.
func missing(status api.Status) error {
	var gone []string
	voters := 0
	for _, n := range status.Nodes {
		if n.Voter {
			voters++
			if n.Role == "unknown" {
				gone = append(gone, n.NodeID)
			}
		}
	}
	var wrong []string
	if status.LeaderID == "" {
		wrong = append(wrong, "there is no leader")
	}
	if len(gone) > 0 {
		wrong = append(wrong, fmt.Sprintf("%d of %d voters do not answer: %s", len(gone), voters, strings.Join(gone, ", ")))
	}
	if len(wrong) == 0 {
		return nil
	}
	return errors.New(strings.Join(wrong, "; "))
}

// printStatus writes the cluster for people: the nodes in the order of their ids.
func printStatus(w io.Writer, asked askedStatus, now time.Time) error {
	leader := cmp.Or(asked.LeaderID, "none: no change can be made until a majority of the voters is up")
	from := cmp.Or(asked.NodeID, "a node") + " at " + asked.Addr
	if asked.Stale {
		from += ", stale: it has not heard of a leader lately, so this may be out of date"
	}
	if asked.Reduced {
		from += ", reduced: it cannot check the root key now, so it shows no addresses"
	}
	certificates := firstEnd(asked.Status)
	if certificates != "" {
		certificates = "certs    " + certificates + "\n"
	}
	name := cmp.Or(asked.ClusterID, "-")
	if asked.Generation != "" {
		name += ", generation " + asked.Generation
	}
	if _, err := fmt.Fprintf(w, "cluster  %s\nleader   %s\nterm     %d\nledger   version %d\nbackup   %s\n%sas seen  by %s\n\n",
		name, leader, asked.Term, asked.LedgerVersion, lastBackup(asked.Status, now), certificates, from); err != nil {
		return err
	}
	nodes := slices.SortedFunc(slices.Values(asked.Nodes), func(a, b api.NodeStatus) int { return cmp.Compare(a.NodeID, b.NodeID) })
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "NODE\tNAME\tROLE\tMEMBERSHIP\tHEALTH\tHTTP\tPEER\tGOSSIP\tAPPLIED\tLAG\tCONTACT\tDISK\tCLOCK\tDIGEST\tBUILD\tREADS")
	for _, n := range nodes {
		fmt.Fprintln(columns, strings.Join(statusRow(n), "\t"))
	}
	if err := columns.Flush(); err != nil {
		return err
	}
	for _, n := range nodes {
		if n.LeftAt > 0 {
			fmt.Fprintf(w, "\n%s left for good: %s\n", n.NodeID, howItLeft(n))
		}
	}
	for _, warning := range endingCertificates(asked.Status, now) {
		fmt.Fprintf(w, "\n%s\n", warning)
	}
	return nil
}

// lastBackup says how old the newest backup of the leader is, and why there is no later one if that failed.
func lastBackup(status api.Status, now time.Time) string {
	leads := slices.IndexFunc(status.Nodes, func(n api.NodeStatus) bool { return n.NodeID == status.LeaderID })
	if status.LeaderID == "" || leads < 0 || status.Nodes[leads].Role == "unknown" {
		return "not known: the leader does not answer"
	}
	b := status.Nodes[leads].Backup
	if b == nil {
		return "none: the leader has no --backup-dir"
	}
	text := "none yet"
	if b.LastAt > 0 {
		text = settings.Short(max(0, now.Sub(time.UnixMilli(b.LastAt))).Truncate(time.Second)) + " old"
	}
	if b.Failure != "" {
		text += ", FAILING: " + b.Failure
	}
	return text
}

// statusRow is one node of the table.
func statusRow(n api.NodeStatus) []string {
	membership := n.Membership
	if membership == "" { // of an earlier build
		membership = map[bool]string{true: "voter", false: "-"}[n.Voter]
	}
	if n.ReplacedBy != "" && n.Voter {
		membership += ", being replaced by " + n.ReplacedBy
	}
	digest, reads := "-", "-"
	if n.Digest != nil {
		digest = fmt.Sprintf("%s@%d", n.Digest.Value[:min(12, len(n.Digest.Value))], n.Digest.Index)
	}
	if v := n.LedgerVersions; v != nil {
		reads = fmt.Sprintf("%d-%d", v.Min, v.Max)
	}
	lag, contact, disk, clock := vitals(n)
	return []string{
		n.NodeID, cmp.Or(n.Name, "-"), cmp.Or(n.Role, "unknown"), membership, cmp.Or(n.Health, "unknown"), cmp.Or(n.HTTPAddr, "-"), cmp.Or(n.PeerAddr, "-"),
		cmp.Or(n.GossipAddr, "-"), fmt.Sprint(n.AppliedIndex), lag, contact, disk, clock, digest, cmp.Or(n.Version, "-"), reads,
	}
}

// vitals are how far a node is behind, when it heard its leader, its disk and its clock.
func vitals(n api.NodeStatus) (lag, contact, disk, clock string) {
	lag, contact, disk, clock = "-", "-", "-", "-"
	if n.Lag != nil {
		lag = fmt.Sprint(*n.Lag)
	}
	if ms := n.LastContactMillis; ms != nil && *ms >= 0 {
		contact = fmt.Sprintf("%dms", *ms)
	} else if ms != nil {
		contact = "never"
	}
	if d := n.Disk; d != nil {
		disk = fmt.Sprintf("%.1fGiB", float64(d.FreeBytes)/(1<<30))
		if d.Full {
			disk += ",full"
		}
	}
	if c := n.Clock; c != nil {
		clock = fmt.Sprintf("%+dms", c.OffsetMillis)
		if !c.Fit {
			clock += ",wrong"
		}
	}
	return lag, contact, disk, clock
}

// howItLeft says when a node left the cluster for good, and why.
func howItLeft(n api.NodeStatus) string {
	at := time.UnixMilli(n.LeftAt).UTC().Format(time.RFC3339)
	switch {
	case n.RemovedBy != "":
		return fmt.Sprintf("removed at %s by %s", at, n.RemovedBy)
	case n.ReplacedBy != "":
		return fmt.Sprintf("replaced at %s by %s", at, n.ReplacedBy)
	}
	return "removed at " + at
}
