package membership

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/gossip"
)

// keptRing is what a data directory keeps of the keys of gossip once a command has changed them.
type keptRing struct {
	// Settings are the ids of the keys that the settings held then. Other ones in the settings are newer than the ring.
	Settings []string `json:"settings"`
	Keys     [][]byte `json:"keys"` // the first encrypts
}

var (
	errAlone    = fault.New(fault.Invalid, "This node keeps to itself, so it has no gossip")
	errUnkeyed  = fault.New(fault.Invalid, "Gossip is not encrypted. It gets its first key with a restart of all nodes: --cluster-secret-file or --gossip-key-file")
	errUnsealed = fault.New(fault.Invalid, "The peer port has neither the cluster secret nor certificates, so no gossip key may be sent to another node")
)

// loadKeys returns the keys to start with: those of the ring, unless the settings have changed since it was kept.
func (g *Gossip) loadKeys() ([][]byte, error) {
	var keys [][]byte
	if len(g.conf.Key) > 0 {
		keys = append([][]byte{g.conf.Key}, g.conf.OtherKeys...)
	}
	g.settings = gossip.KeyIDs(keys)
	content, err := g.conf.Kept()
	if err != nil || content == nil {
		return keys, err
	}
	var kept keptRing
	if err := json.Unmarshal(content, &kept); err != nil {
		return nil, fmt.Errorf("the gossip keys of the data directory cannot be read: %w", err)
	}
	if len(kept.Keys) == 0 {
		return nil, errors.New("the file of gossip keys in the data directory has no key")
	}
	g.kept = true
	if !slices.Equal(kept.Settings, g.settings) {
		g.conf.Logger.Warn("the gossip key of the settings was changed, so it counts, and the keys of the data directory do not", "keys", g.settings)
		return keys, g.keep(keys)
	}
	if ids := gossip.KeyIDs(kept.Keys); !slices.Equal(ids, g.settings) {
		g.conf.Logger.Info("gossip keys come from the data directory: a command has changed them since the settings were", "keys", ids)
	}
	return kept.Keys, nil
}

// keep writes the ring to the data directory.
func (g *Gossip) keep(keys [][]byte) error {
	content, err := json.Marshal(keptRing{Settings: g.settings, Keys: keys})
	if err != nil {
		return fmt.Errorf("encode the gossip keys: %w", err)
	}
	if err := g.conf.Keep(content); err != nil {
		return fmt.Errorf("keep the gossip keys: %w", err)
	}
	g.kept = true
	return nil
}

// SetKeys replaces the keys, of which the first encrypts, by those of changed settings.
func (g *Gossip) SetKeys(keys [][]byte) error {
	g.ringMu.Lock()
	defer g.ringMu.Unlock()
	started := g.gossip.Load()
	if started == nil {
		return nil // this node keeps to itself
	}
	if err := started.SetKeys(keys); err != nil {
		return err
	}
	g.settings = gossip.KeyIDs(keys)
	if !g.kept {
		return nil
	}
	return g.keep(keys)
}

// Ring is the keys of one node, by their ids.
type Ring struct {
	Keys     []string `json:"keys"`     // the first encrypts; none: gossip is not encrypted
	Settings []string `json:"settings"` // those of the settings, which a node without data starts with
}

// Has reports whether the node has a key.
func (r Ring) Has(id string) bool { return slices.Contains(r.Keys, id) }

// Ring returns the keys of this node.
func (g *Gossip) Ring() Ring {
	g.ringMu.Lock()
	defer g.ringMu.Unlock()
	r := Ring{Settings: g.settings}
	if started := g.gossip.Load(); started != nil {
		r.Keys = gossip.KeyIDs(started.Keys())
	}
	return r
}

// key returns a key by its id, nil if the node does not have it.
func (g *Gossip) key(id string) []byte {
	if started := g.gossip.Load(); started != nil {
		for _, key := range started.Keys() {
			if gossip.KeyID(key) == id {
				return key
			}
		}
	}
	return nil
}

// changeKeys changes the keys of this node, and keeps them first: after a crash it starts with the new ones. changed is false if there was
// nothing to do.
func (g *Gossip) changeKeys(c KeyChange) (changed bool, err error) {
	g.ringMu.Lock()
	defer g.ringMu.Unlock()
	started := g.gossip.Load()
	if started == nil {
		return false, errAlone
	}
	before := started.Keys()
	if len(before) == 0 {
		return false, errUnkeyed
	}
	after, err := c.apply(before)
	if err != nil || slices.Equal(gossip.KeyIDs(before), gossip.KeyIDs(after)) {
		return false, err
	}
	if err := g.keep(after); err != nil {
		return false, fault.Wrap(fault.Unavailable, "The node could not keep the changed gossip keys", err)
	}
	if err := started.SetKeys(after); err != nil {
		return false, fault.Wrap(fault.Internal, "The node could not use the changed gossip keys", err)
	}
	g.conf.Logger.Info("gossip keys changed by a command: the first encrypts, each decrypts", "keys", gossip.KeyIDs(after))
	return true, nil
}
