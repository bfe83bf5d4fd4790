package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/creditd/creditd/api"
)

var _ = register(registration{use: "cluster", short: "show the cluster, transfer leadership, remove a node",
	long: "Shows and changes the cluster, through any of its nodes."})

var _ = register(registration{group: "cluster", use: "status", short: "show every node: role, health, addresses, progress",
	long: `Shows the cluster as one node knows it. Nodes that hold the same state have the same digest:
compare them once writes have stopped, or at the same index, which stands behind the @.`,
	make: func() command { return &clusterStatus{} }})

type clusterStatus struct{ reporter }

func (c *clusterStatus) run(in invocation) error {
	var status api.Status
	if err := c.call("cluster.getStatus", struct{}{}, &status); err != nil {
		return err
	}
	return c.print(in.stdout, status, func(w io.Writer) error { return printStatus(w, status) })
}

// printStatus writes the cluster for people: the nodes in the order of their ids.
func printStatus(w io.Writer, status api.Status) error {
	leader := cmp.Or(status.LeaderID, "none: no change can be made until a majority of the voters is up")
	if _, err := fmt.Fprintf(w, "cluster  %s\nleader   %s\nterm     %d\nledger   version %d\n\n",
		cmp.Or(status.ClusterID, "-"), leader, status.Term, status.LedgerVersion); err != nil {
		return err
	}
	nodes := slices.SortedFunc(slices.Values(status.Nodes), func(a, b api.NodeStatus) int { return cmp.Compare(a.NodeID, b.NodeID) })
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(columns, "NODE\tROLE\tVOTER\tHEALTH\tHTTP\tPEER\tGOSSIP\tAPPLIED\tDIGEST\tBUILD\tREADS")
	for _, n := range nodes {
		voter := "no"
		if n.Voter {
			voter = "yes"
		}
		digest := "-"
		if n.Digest != nil {
			digest = fmt.Sprintf("%s@%d", n.Digest.Value[:min(12, len(n.Digest.Value))], n.Digest.Index)
		}
		reads := "-"
		if v := n.LedgerVersions; v != nil {
			reads = fmt.Sprintf("%d-%d", v.Min, v.Max)
		}
		fmt.Fprintf(columns, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", n.NodeID, cmp.Or(n.Role, "unknown"), voter, cmp.Or(n.Health, "unknown"),
			cmp.Or(n.HTTPAddr, "-"), cmp.Or(n.PeerAddr, "-"), cmp.Or(n.GossipAddr, "-"), strconv.FormatUint(n.AppliedIndex, 10), digest, cmp.Or(n.Version, "-"), reads)
	}
	return columns.Flush()
}

var _ = register(registration{group: "cluster", use: "transfer-leader [NODE]", short: "transfer leadership to another node",
	long: `Transfers leadership to NODE, a node id as 'creditd cluster status' shows it. Without NODE the
leader chooses the node that is fittest to lead.`,
	make: func() command { return &clusterTransfer{} }})

type clusterTransfer struct{ reporter }

func (c *clusterTransfer) run(in invocation) error {
	request := map[string]string{}
	if len(in.args) > 0 {
		request["nodeId"] = in.args[0]
	}
	if err := c.call("cluster.transferLeadership", request, nil); err != nil {
		return err
	}
	var status api.Status
	if err := c.call("cluster.getStatus", struct{}{}, &status); err != nil {
		return fmt.Errorf("leadership was transferred, but the new leader is not known: %w", err)
	}
	return c.print(in.stdout, map[string]string{"leaderId": status.LeaderID}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "leader  %s\n", cmp.Or(status.LeaderID, "none yet"))
		return err
	})
}

var _ = register(registration{group: "cluster", use: "remove NODE", short: "remove a node from the cluster permanently",
	long: `Removes NODE, a node id as 'creditd cluster status' shows it, from the cluster permanently. If the
node is up, it stops. The cluster refuses where the remaining nodes could not go on without it.`,
	make: func() command { return &clusterRemove{} }})

type clusterRemove struct{ operator }

func (c *clusterRemove) run(in invocation) error {
	if err := c.call("cluster.removeServer", map[string]string{"nodeId": in.args[0]}, nil); err != nil {
		return err
	}
	_, err := fmt.Fprintf(in.stdout, "removed  %s\n", in.args[0])
	return err
}
