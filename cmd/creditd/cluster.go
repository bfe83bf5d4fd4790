package main

import (
	"cmp"
	"fmt"
	"io"

	"github.com/creditd/creditd/api"
)

var _ = register(registration{use: "cluster", short: "show the cluster, transfer leadership, remove a node",
	long: "Shows and changes the cluster, through any of its nodes."})

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
