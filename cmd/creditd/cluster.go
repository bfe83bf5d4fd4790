package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/creditd/creditd/api"
)

func clusterCommand(in invocation) int {
	return subcommands("creditd cluster", "Shows and steers the cluster, through any of its nodes.", []command{
		{"status", "show every node: role, health, addresses, progress", clusterStatusCommand},
		{"transfer-leader", "hand leadership to another node", clusterTransferCommand},
		{"remove", "take a node out of the cluster for good", clusterRemoveCommand},
	}, in)
}

func clusterStatusCommand(in invocation) int {
	const name = "creditd cluster status"
	s := &clientSettings{}
	s.synopsis = "cluster status [flags]"
	s.about = "Shows the cluster as one node knows it. Nodes that hold the same state have the same digest: compare\n" +
		"them once writes have stopped, or at the same index, which stands behind the @."
	s.declareClient()
	s.declareOutput()
	helped, err := s.read(in, 0)
	if helped || err != nil {
		return finish(in, name, err)
	}
	c, err := s.client()
	if err != nil {
		return finish(in, name, err)
	}
	var status api.Status
	if err := c.call(context.Background(), "cluster.getStatus", struct{}{}, &status); err != nil {
		return finish(in, name, err)
	}
	if s.output == "json" {
		return finish(in, name, printJSON(in.stdout, status))
	}
	return finish(in, name, printStatus(in.stdout, status))
}

func clusterTransferCommand(in invocation) int {
	const name = "creditd cluster transfer-leader"
	s := &clientSettings{}
	s.synopsis = "cluster transfer-leader [NODE] [flags]"
	s.about = "Hands leadership to NODE, a node id as `creditd cluster status` shows it, or to the node that the\nleader finds most fit."
	s.declareClient()
	s.declareOutput()
	helped, err := s.read(in, 1)
	if helped || err != nil {
		return finish(in, name, err)
	}
	c, err := s.client()
	if err != nil {
		return finish(in, name, err)
	}
	request := map[string]string{}
	if len(s.rest) > 0 {
		request["nodeId"] = s.rest[0]
	}
	if err := c.call(context.Background(), "cluster.transferLeadership", request, nil); err != nil {
		return finish(in, name, err)
	}
	var status api.Status
	if err := c.call(context.Background(), "cluster.getStatus", struct{}{}, &status); err != nil {
		return finish(in, name, fmt.Errorf("leadership was handed over, but to whom is not known: %w", err))
	}
	if s.output == "json" {
		return finish(in, name, printJSON(in.stdout, map[string]string{"leaderId": status.LeaderID}))
	}
	fmt.Fprintf(in.stdout, "leader  %s\n", cmp.Or(status.LeaderID, "none yet"))
	return exitDone
}

// printStatus writes the cluster for people: the nodes in the order of their ids.
func printStatus(w io.Writer, status api.Status) error {
	leader := cmp.Or(status.LeaderID, "none: no change can be made until a majority of the voters is up")
	if _, err := fmt.Fprintf(w, "cluster  %s\nleader   %s\nterm     %d\n\n", cmp.Or(status.ClusterID, "-"), leader, status.Term); err != nil {
		return err
	}
	nodes := slices.SortedFunc(slices.Values(status.Nodes), func(a, b api.NodeStatus) int { return cmp.Compare(a.NodeID, b.NodeID) })
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "NODE\tROLE\tVOTER\tHEALTH\tHTTP\tPEER\tGOSSIP\tAPPLIED\tDIGEST\tVERSION")
	for _, n := range nodes {
		voter := "no"
		if n.Voter {
			voter = "yes"
		}
		digest := "-"
		if n.Digest != nil {
			digest = fmt.Sprintf("%s@%d", n.Digest.Value[:min(12, len(n.Digest.Value))], n.Digest.Index)
		}
		fmt.Fprintf(columns, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", n.NodeID, cmp.Or(n.Role, "unknown"), voter, cmp.Or(n.Health, "unknown"),
			cmp.Or(n.HTTPAddr, "-"), cmp.Or(n.PeerAddr, "-"), cmp.Or(n.GossipAddr, "-"), strconv.FormatUint(n.AppliedIndex, 10), digest, cmp.Or(n.Version, "-"))
	}
	return columns.Flush()
}

func clusterRemoveCommand(in invocation) int {
	const name = "creditd cluster remove"
	s := &clientSettings{}
	s.synopsis = "cluster remove NODE [flags]"
	s.about = "Takes NODE, a node id as `creditd cluster status` shows it, out of the cluster for good. If it is up, it\nstops. Refused where the nodes that stay could not go on without it."
	s.declareClient()
	helped, err := s.read(in, 1)
	if helped || err != nil {
		return finish(in, name, err)
	}
	c, err := s.client()
	if err != nil {
		return finish(in, name, err)
	}
	if len(s.rest) == 0 {
		return finish(in, name, errors.New("which NODE? `creditd cluster status` shows them"))
	}
	if err := c.call(context.Background(), "cluster.removeServer", map[string]string{"nodeId": s.rest[0]}, nil); err != nil {
		return finish(in, name, err)
	}
	fmt.Fprintf(in.stdout, "removed  %s\n", s.rest[0])
	return exitDone
}
