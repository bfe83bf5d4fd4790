package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

var (
	_ = register(registration{use: "gossip", short: "replace the key that encrypts gossip", long: "Shows and changes what protects gossip, on all nodes at once."})
	_ = register(registration{group: "gossip", use: "key", short: "list, add, use and remove gossip keys",
		long: `Shows and changes the keys of gossip on all nodes, through any of them. To replace the key, add one,
use it, and remove the old one. Nodes keep the keys in their data directories. No command shows a
key: an id is the beginning of its hash.`})
	_ = register(registration{group: "gossip key", use: "list", short: "show the keys, and which nodes have and use them",
		long: `Shows each key by its id: how many nodes can read it, and which ones encrypt with it. SETTINGS are
the nodes whose settings name it: a node that loses its data starts with the keys of its settings.

The exit code is 1 if a node does not answer, or if a node could not read what another one sends.`,
		make: func() command { return &gossipKeyList{} }})
	_ = register(registration{group: "gossip key", use: "add [ID]", short: "give all nodes a further key to read with",
		long: `Gives all nodes a further key to read with. Without --new-key-file, a node makes the key. With ID,
the nodes that lack the key with this id get it from the leader, for example because they were down.

The exit code is 1 if a node does not have the key then.`,
		make: func() command { return &gossipKeyChange{action: "add"} }})
	_ = register(registration{group: "gossip key", use: "use ID", short: "let all nodes encrypt with a key",
		long: `Lets all nodes encrypt with the key ID. Nothing is changed if a node that answers lacks the key. A
node that does not answer is named, and nothing is changed without --force.`,
		make: func() command { return &gossipKeyChange{action: "use"} }})
	_ = register(registration{group: "gossip key", use: "remove ID", short: "take a key away from all nodes",
		long: `Takes the key ID away from all nodes. Nothing is changed if a node encrypts with it. A node that
does not answer is named, and nothing is changed without --force.`,
		make: func() command { return &gossipKeyChange{action: "remove"} }})
)

// gossipKeysAnswer is what nodes answer.
type gossipKeysAnswer struct {
	KeyID string               `json:"keyId,omitempty"`
	Nodes []api.NodeGossipKeys `json:"nodes"`
}

type gossipKeyList struct{ reporter }

func (c *gossipKeyList) run(in invocation) error {
	var answer gossipKeysAnswer
	if err := c.call("cluster.getGossipKeys", struct{}{}, &answer); err != nil {
		return err
	}
	if err := c.print(in.stdout, answer, func(w io.Writer) error { return printGossipKeys(w, answer.Nodes) }); err != nil {
		return err
	}
	return errors.Join(incomplete(answer.Nodes, "told nothing"), unreadable(answer.Nodes))
}

// printGossipKeys writes a row for each key, in the order of the ids.
func printGossipKeys(w io.Writer, nodes []api.NodeGossipKeys) error {
	has, uses, names := map[string]int{}, map[string][]string{}, map[string][]string{}
	for _, n := range nodes {
		for i, id := range n.Keys {
			has[id]++
			if i == 0 {
				uses[id] = append(uses[id], n.NodeID)
			}
		}
		for _, id := range n.Settings {
			names[id] = append(names[id], n.NodeID)
			has[id] += 0
		}
	}
	var rows [][]string
	for _, id := range slices.Sorted(maps.Keys(has)) {
		rows = append(rows, []string{id, fmt.Sprintf("%d of %d", has[id], len(nodes)), strings.Join(uses[id], ","), strings.Join(names[id], ",")})
	}
	return printTable(w, []string{"KEY", "READ BY", "ENCRYPTS AT", "SETTINGS"}, rows)
}

// incomplete names the nodes that failed at what they were asked.
func incomplete(nodes []api.NodeGossipKeys, failing string) error {
	var failed []string
	for _, n := range nodes {
		if n.Failure != "" {
			failed = append(failed, fmt.Sprintf("%s (%s)", n.NodeID, n.Failure))
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d nodes %s: %s", len(failed), len(nodes), failing, strings.Join(failed, ", "))
}

// unreadable names the nodes that lack a key with which another one encrypts.
func unreadable(nodes []api.NodeGossipKeys) error {
	var errs []error
	for _, n := range nodes {
		for _, other := range nodes {
			if n.Failure == "" && len(other.Keys) > 0 && !slices.Contains(n.Keys, other.Keys[0]) {
				errs = append(errs, fmt.Errorf("%s cannot read %s: it lacks the key %s; give it with: creditd gossip key add %s", n.NodeID, other.NodeID, other.Keys[0], other.Keys[0]))
			}
		}
	}
	return errors.Join(errs...)
}

type gossipKeyChange struct {
	reporter
	action string
	file   string
	key    []byte
	force  bool
}

func (c *gossipKeyChange) bind(s *settings.Set) {
	c.reporter.bind(s)
	s.Group("Gossip key")
	if c.action == "add" {
		s.Text(&c.file, "new-key-file", "FILE", "file with the key, 32 bytes in base64 ('creditd secret new' makes one), instead of one that a node makes")
		return
	}
	s.Switch(&c.force, "force", "do it although nodes do not answer: they may need the keys again before they see the others")
}

func (c *gossipKeyChange) check(in invocation, s *settings.Set) {
	c.reporter.check(in, s)
	if c.file == "" {
		return
	}
	if len(in.args) > 0 {
		s.Refuse("new-key-file", "an ID names a key that the nodes have; use one of the two")
		return
	}
	keys, err := readGossipKeys(c.file)
	switch {
	case err != nil:
		s.Refuse("new-key-file", "%v", err)
		return
	case len(keys) != 1:
		s.Refuse("new-key-file", "%s holds %d keys; one can be added at a time", c.file, len(keys))
		return
	}
	c.key = keys[0]
	for _, addr := range c.addrs {
		if at, err := url.Parse(withScheme(addr)); err == nil && at.Scheme != "https" && !isLoopback(at.Host) {
			s.Refuse("new-key-file", "%s is asked without TLS, so the key would travel in the clear; use https://, run the command on the node's machine, or let the node make a key", addr)
		}
	}
}

func withScheme(addr string) string {
	if hasScheme(addr) {
		return addr
	}
	return "http://" + addr
}

func (c *gossipKeyChange) run(in invocation) error {
	request := map[string]any{"action": c.action, "force": c.force}
	if len(in.args) > 0 {
		request["keyId"] = in.args[0]
	}
	if c.key != nil {
		request["key"] = base64.StdEncoding.EncodeToString(c.key)
	}
	var answer gossipKeysAnswer
	if err := c.call("cluster.changeGossipKeys", request, &answer); err != nil {
		return err
	}
	err := c.print(in.stdout, answer, func(w io.Writer) error {
		rows := make([][]string, len(answer.Nodes))
		for i, n := range answer.Nodes {
			what := "had been done"
			switch {
			case n.Failure != "":
				what = n.Failure
			case n.Changed:
				what = "done"
			}
			rows[i] = []string{n.NodeID, n.Name, what, strings.Join(n.Keys, ",")}
		}
		fmt.Fprintf(w, "key  %s\n\n", answer.KeyID)
		return printTable(w, []string{"NODE", "NAME", strings.ToUpper(c.action), "KEYS"}, rows)
	})
	if err != nil {
		return err
	}
	return incomplete(answer.Nodes, "did nothing")
}
