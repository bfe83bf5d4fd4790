package api

import (
	"encoding/base64"
	"net/netip"

	"github.com/creditd/creditd/fsm"
)

// NodeGossipKeys is what one node has of the keys of gossip, by their ids. The id is the beginning of a hash.
type NodeGossipKeys struct {
	NodeID   string   `json:"nodeId"`
	Name     string   `json:"name,omitempty"`
	Keys     []string `json:"keys"`              // the first encrypts, each decrypts; none: gossip is not encrypted, or the node did not answer
	Settings []string `json:"settings"`          // those of the node's settings, which it starts with if it loses its data
	Changed  bool     `json:"changed,omitempty"` // the call changed its keys
	Failure  string   `json:"failure,omitempty"` // why the node did not answer or did nothing
}

type getGossipKeysRequest struct{}

type gossipKeysData struct {
	KeyID string           `json:"keyId,omitempty"` // the key that was changed
	Nodes []NodeGossipKeys `json:"nodes"`
}

// getGossipKeys is cluster.getGossipKeys, docs/contract.md 7.2.
func getGossipKeys() *endpoint {
	return read("cluster.getGossipKeys", about{
		summary: "Show the gossip keys of each node",
		text:    "Keys are shown by their ids: the beginning of a hash, which tells nothing of the key. The first key of a node encrypts what it sends.",
		needs:   []need{forAll(fsm.ReadClusterPermission)},
		example: `{}`,
	}, func(c *call, _ getGossipKeysRequest) (gossipKeysData, error) {
		if err := c.authorize(fsm.ReadClusterPermission); err != nil {
			return gossipKeysData{}, err
		}
		c.index = 0 // that of the authorization
		nodes, err := c.api.node.GossipKeys(c.ctx)
		return showGossipKeys("", nodes), err
	})
}

type changeGossipKeysRequest struct {
	Action string `json:"action" schema:"required,enum=add|use|remove" doc:"add: all nodes can read it; use: all encrypt with it; remove: no node can read it."`
	KeyID  string `json:"keyId" schema:"minLength=8,maxLength=8,pattern=^[0-9a-f]+$" doc:"The id of the key. With add: one that the leader has."`
	Key    string `json:"key" schema:"minLength=44,maxLength=44" doc:"With add: 32 bytes in base64. Without key and keyId, a key is made."`
	Force  bool   `json:"force" doc:"Use or remove the key although nodes do not answer."`
}

// GossipKeyChange is a step of a change of the gossip keys of all nodes.
type GossipKeyChange struct {
	Action string // add, use or remove
	KeyID  string // empty: that of Key
	Key    []byte // to add; nil with an empty KeyID: one is made
	Force  bool
	By     string // who asks for it
}

// changeGossipKeys is cluster.changeGossipKeys, docs/contract.md 7.2.
func changeGossipKeys() *endpoint {
	return write("cluster.changeGossipKeys", about{
		summary: "Add, use or remove a gossip key on all nodes",
		text: "A key is replaced in three calls: `add` the new one, `use` it, `remove` the old one. A step that would split the cluster is a 400 and " +
			"changes nothing: the use of a key that a node lacks, and the removal of one that a node encrypts with. `use` and `remove` also want the " +
			"answer of every node, unless `force` is true. The answer says for each node what it has now, or why it did nothing.",
		needs:         []need{forAll(fsm.OperateClusterPermission)},
		example:       `{"action":"add"}`,
		outsideLedger: true,
	}, func(c *call, req changeGossipKeysRequest) (gossipKeysData, error) {
		caller, err := answer[*fsm.RootKeys](c, &fsm.GetRootKey{Permission: string(fsm.OperateClusterPermission)})
		if err != nil {
			return gossipKeysData{}, err
		}
		key, err := c.gossipKey(req)
		if err != nil {
			return gossipKeysData{}, err
		}
		c.index, c.proposed = 0, true // the index is that of the authorization
		id, nodes, err := c.api.node.ChangeGossipKeys(c.ctx, GossipKeyChange{
			Action: req.Action, KeyID: req.KeyID, Key: key, Force: req.Force, By: c.nameOf(caller.List[0]),
		})
		return showGossipKeys(id, nodes), err
	})
}

// showGossipKeys shows empty lists as such.
func showGossipKeys(id string, nodes []NodeGossipKeys) gossipKeysData {
	shown := gossipKeysData{KeyID: id, Nodes: make([]NodeGossipKeys, len(nodes))}
	for i, n := range nodes {
		n.Keys, n.Settings = append([]string{}, n.Keys...), append([]string{}, n.Settings...)
		shown.Nodes[i] = n
	}
	return shown
}

// gossipKey checks which key is meant, and returns it if it was given. No answer repeats it.
func (c *call) gossipKey(req changeGossipKeysRequest) ([]byte, error) {
	switch {
	case req.Action != "add" && (req.Key != "" || req.KeyID == ""):
		return nil, invalid("Name the key by its 'keyId', and give 'key' with the action 'add' only")
	case req.Key == "":
		return nil, nil
	case req.KeyID != "":
		return nil, invalid("Give 'key' or 'keyId', not both")
	case c.gin.Request.TLS == nil && !c.isFromThisMachine():
		return nil, invalid("A gossip key must not travel in the clear: use TLS, call from the node's machine, or leave out 'key', and one is made")
	}
	key, err := base64.StdEncoding.DecodeString(req.Key)
	if err != nil || len(key) != gossipKeyBytes {
		return nil, invalid("'key' is not 32 bytes in base64")
	}
	return key, nil
}

const gossipKeyBytes = 32

func (c *call) isFromThisMachine() bool {
	at, err := netip.ParseAddrPort(c.gin.Request.RemoteAddr)
	return err == nil && at.Addr().Unmap().IsLoopback()
}
