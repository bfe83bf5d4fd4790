package membership

import (
	"fmt"
	"slices"
	"strings"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/gossip"
)

// KeyAction is what happens to a gossip key.
type KeyAction string

// The actions. A key is added to all nodes, then all encrypt with it, then the old one is removed.
const (
	AddKey    KeyAction = "add"
	UseKey    KeyAction = "use"
	RemoveKey KeyAction = "remove"
)

// KeyChange is one step of a change of the gossip keys.
type KeyChange struct {
	Action KeyAction `json:"action"`
	ID     string    `json:"id"`            // of the key
	Key    []byte    `json:"key,omitempty"` // to add; nil: the leader has it
	Force  bool      `json:"force,omitempty"`
	By     string    `json:"by"`
}

// apply returns the keys after the change. It refuses what would take the key away that the node encrypts with, or use one it lacks.
func (c KeyChange) apply(keys [][]byte) ([][]byte, error) {
	at := slices.IndexFunc(keys, func(key []byte) bool { return gossip.KeyID(key) == c.ID })
	switch c.Action {
	case AddKey:
		switch {
		case at >= 0:
			return keys, nil
		case len(keys) >= gossip.MaxKeys:
			return nil, fault.New(fault.Invalid, fmt.Sprintf("The node has %d gossip keys, which is the most", len(keys)))
		case len(c.Key) != gossip.KeyBytes || gossip.KeyID(c.Key) != c.ID:
			return nil, fault.New(fault.Invalid, fmt.Sprintf("A gossip key has %d bytes", gossip.KeyBytes))
		}
		return append(slices.Clone(keys), c.Key), nil
	case UseKey:
		if at < 0 {
			return nil, fault.New(fault.Invalid, "The node has no gossip key "+c.ID)
		}
		return append([][]byte{keys[at]}, slices.Delete(slices.Clone(keys), at, at+1)...), nil
	case RemoveKey:
		if at == 0 {
			return nil, fault.New(fault.Invalid, "The node encrypts with the gossip key "+c.ID)
		}
		if at < 0 {
			return keys, nil
		}
		return slices.Delete(slices.Clone(keys), at, at+1), nil
	}
	return nil, fault.New(fault.Invalid, fmt.Sprintf("Unknown action on a gossip key: %q", string(c.Action)))
}

// allowed refuses what would split the cluster, given the keys of all nodes.
func (c KeyChange) allowed(nodes []NodeKeys) error {
	var down, without, first, full, unkeyed []string
	for _, n := range nodes {
		switch {
		case n.Failure != "":
			down = append(down, fmt.Sprintf("%s (%s)", n.NodeID, n.Failure))
		case len(n.Keys) == 0:
			unkeyed = append(unkeyed, n.NodeID)
		case !n.Has(c.ID):
			without = append(without, n.NodeID)
			if len(n.Keys) >= gossip.MaxKeys {
				full = append(full, n.NodeID)
			}
		case n.Keys[0] == c.ID:
			first = append(first, n.NodeID)
		}
	}
	refuse := func(format string, args ...any) error { return fault.New(fault.Invalid, fmt.Sprintf(format, args...)) }
	list := func(names []string) string { return strings.Join(names, ", ") }
	switch {
	case len(unkeyed) == len(nodes)-len(down):
		return errUnkeyed
	case len(unkeyed) > 0:
		return refuse("Nothing was changed: gossip is not encrypted at %s", list(unkeyed))
	case c.Action == AddKey && len(full) > 0:
		return refuse("Nothing was changed: %s would have more than %d gossip keys; remove one first", list(full), gossip.MaxKeys)
	case c.Action == AddKey:
		return nil // a node that is down has the keys that the others still use
	case len(without)+len(down) == len(nodes):
		return refuse("Nothing was changed: no node that answers has the gossip key %s", c.ID)
	case c.Action == UseKey && len(without) > 0:
		return refuse("Nothing was changed: %s could not read the others, because the gossip key %s is missing there; add it first", list(without), c.ID)
	case c.Action == RemoveKey && len(first) > 0:
		return refuse("Nothing was changed: %s encrypts with the gossip key %s; use another one first", list(first), c.ID)
	case len(down) > 0 && !c.Force:
		return refuse("Nothing was changed: what these nodes have is not known: %s. With force they may need the keys again before they see the others", list(down))
	}
	return nil
}
