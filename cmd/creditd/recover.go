package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/creditd/creditd/cluster/generation"
	"github.com/creditd/creditd/cluster/recovery"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

var _ = register(registration{use: "recover", short: "go on with one node after the quorum was lost for good",
	long: `Makes a cluster of one of a stopped node whose cluster has lost its quorum for good. It shows what
may be lost, and asks. The cluster goes on in a new generation: nodes of the old one are refused
until they are started with --rejoin, or with empty data directories. Then they join as new nodes.

Stop all other nodes of the old cluster first, and see that they stay down: a majority of them
would go on as the old cluster. Of several survivors, recover the one with the highest last
term, and of those the highest last index: --look shows both and changes nothing.

The data from before stay in the directory, under before-recovery-N.`,
	make: func() command { return &recoverCommand{} }})

type recoverCommand struct {
	offline
	look, yes bool
}

func (c *recoverCommand) bind(s *settings.Set) {
	c.offline.bind(s, "the data directory of the survivor; required")
	s.Group("Consent")
	s.Switch(&c.look, "look", "only show what the node has")
	s.Switch(&c.yes, "yes", "do not ask")
}

func (c *recoverCommand) run(in invocation) error {
	if err := becomeOwner(c.options.Dir); err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	done, err := recovery.Recover(c.options, func(v recovery.Survey) (bool, error) { return c.consent(in, v) })
	switch {
	case c.look && errors.Is(err, recovery.ErrDeclined):
		return nil
	case err != nil:
		return fmt.Errorf("--data-dir: %w", err)
	}
	if done.NodeID == "" {
		_, err := fmt.Fprintf(in.stdout, "completed the recovery that was interrupted\nbefore     %s\n", done.Before)
		return err
	}
	id := generation.Parse(done.ClusterID)
	return printTable(in.stdout, nil, [][]string{
		{"recovered", c.options.Dir}, {"cluster", id.Base + ", generation " + id.Generation()}, {"node", done.NodeID},
		{"index", fmt.Sprint(done.Survey.LastIndex)}, {"before", done.Before},
	})
}

// consent shows what may be lost and asks.
func (c *recoverCommand) consent(in invocation, v recovery.Survey) (bool, error) {
	if err := printSurvey(in.stdout, v); err != nil || c.look {
		return false, err
	}
	if v.Alone() {
		return false, errors.New("this node is the only voter of its cluster: start it, it needs no recovery")
	}
	if c.yes {
		return true, nil
	}
	if !isTerminal(in.stdin) {
		return false, errors.New("this needs a yes: run it on a terminal, or give --yes")
	}
	fmt.Fprint(in.stdout, "Make a cluster of one of this node? [y/N] ")
	answer, err := bufio.NewReader(in.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}

func printSurvey(w io.Writer, v recovery.Survey) error {
	id := generation.Parse(v.ClusterID)
	rows := [][]string{
		{"node", v.NodeID}, {"cluster", id.Base + ", generation " + id.Generation()}, {"last term", fmt.Sprint(v.LastTerm)}, {"last index", fmt.Sprint(v.LastIndex)},
		{"snapshot", fmt.Sprintf("index %d: everything up to here is committed", v.SnapshotIndex)},
		{"log", fmt.Sprintf("%d entries behind it, with %d requests", v.LastIndex-v.SnapshotIndex, v.Commands)},
	}
	if v.LastStamp > 0 {
		rows = append(rows, []string{"newest", moment(v.LastStamp)})
	}
	for _, s := range v.Servers {
		if string(s.ID) != v.NodeID {
			rows = append(rows, []string{"left behind", fmt.Sprintf("%s %s at %s", strings.ToLower(s.Suffrage.String()), s.ID, s.Address)})
		}
	}
	if err := printTable(w, nil, rows); err != nil {
		return err
	}
	text := `
What other nodes answered and this one does not have is lost. Entries at the end of the log that no
majority had become final: a request that got no answer may take effect.
`
	if !v.Voter() {
		text += "This node had no vote: a voter that survived may have more.\n"
	}
	_, err := fmt.Fprintln(w, text)
	return err
}
