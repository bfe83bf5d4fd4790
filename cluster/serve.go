package cluster

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/peer"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/store/failpoint"
)

// The methods of the peer port. Numbers are append only.
const (
	methodExecute     byte = iota + 1 // tag, 1 if sent again else 0, batch of one call → index, result
	methodReadIndex                   // tag → index
	methodStatus                      // → JSON of statusReply
	methodTransfer                    // tag, node id or nothing → nothing
	methodFounding                    // → JSON of foundingReply
	methodRemove                      // tag, node id → nothing
	methodLeave                       // tag, node id → nothing
	methodClock                       // → time, what is wrong with it, node id
	methodCheckpoints                 // tag → JSON of checkpointsReply
	methodDiverged                    // tag, JSON of divergence → nothing
)

// The codes of answers that are no result. Numbers are append only.
const (
	codeUnavailable byte = iota + 1
	codeOverloaded
	codeTimedOut
	codeUnknown
	codeTooLarge
	codeInternal
	codeForeign   // the request belongs to another cluster
	codeMalformed // the request could not be read
	codeInvalid
	codeNoRoom // ids of nodes without room, with blanks between
)

// clusterTag begins every request that concerns the ledger, so that an address that was taken over by another cluster cannot answer
// it.
func (n *Node) clusterTag() []byte {
	return binary.BigEndian.AppendUint32(make([]byte, 0, 128), crc32.ChecksumIEEE([]byte(n.clusterID())))
}

// cutTag checks the tag and returns what follows it.
func (n *Node) cutTag(payload []byte) ([]byte, bool) {
	if len(payload) < 4 || n.clusterID() == "" {
		return nil, false
	}
	own := crc32.ChecksumIEEE([]byte(n.clusterID()))
	return payload[4:], binary.BigEndian.Uint32(payload) == own
}

func cutIndex(answer []byte) (index uint64, rest []byte, err error) {
	index, size := binary.Uvarint(answer)
	if size <= 0 {
		return 0, nil, errors.New("the index is malformed")
	}
	return index, answer[size:], nil
}

// handle answers calls of other nodes. It runs on the connection's reader and does not block.
func (n *Node) handle(r peer.Request, reply peer.Reply) {
	switch r.Method {
	case methodExecute:
		n.handleExecute(r, reply)
	case methodReadIndex:
		n.handleReadIndex(r, reply)
	case methodStatus:
		go func() { replyJSON(reply, n.localStatus()) }()
	case methodTransfer:
		go n.handleTransfer(r, reply)
	case methodLeave:
		go n.handleLeave(r, reply)
	case methodRemove:
		go n.handleRemove(r, reply)
	case methodClock:
		n.handleClock(reply)
	case methodCheckpoints:
		go n.handleCheckpoints(r, reply)
	case methodDiverged:
		go n.handleDiverged(r, reply)
	case methodFounding:
		go func() { replyJSON(reply, n.founding()) }()
	default:
		reply(codeMalformed, nil)
	}
}

func replyJSON(reply peer.Reply, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		reply(codeInternal, nil)
		return
	}
	reply(peer.CodeOK, data)
}

// handleExecute takes a forwarded command. It is not forwarded again: a node that does not lead says so.
func (n *Node) handleExecute(r peer.Request, reply peer.Reply) {
	body, ok := n.cutTag(r.Payload)
	if !ok {
		reply(codeForeign, nil)
		return
	}
	if len(body) == 0 || body[0] > 1 {
		reply(codeMalformed, nil)
		return
	}
	again, body := body[0] == 1, body[1:]
	decoded, err := codec.DecodeBatch(body)
	if err != nil || len(decoded.Calls) != 1 {
		n.log.Error("refused a malformed forwarded command", "from", r.From, "err", err)
		reply(codeMalformed, nil)
		return
	}
	call := decoded.Calls[0]
	if _, founding := call.Command.(*fsm.Bootstrap); founding {
		reply(codeMalformed, nil)
		return
	}
	b := n.batcher.Load()
	if b == nil {
		reply(codeUnavailable, nil)
		return
	}
	if err := n.refuseForRoom(&call, again); err != nil {
		reply(codeOf(err), []byte(strings.Join(n.withoutRoom(), " ")))
		return
	}
	b.Execute(call, len(body), again, r.Deadline, remoteWaiter(reply))
}

func (n *Node) handleReadIndex(r peer.Request, reply peer.Reply) {
	if _, ok := n.cutTag(r.Payload); !ok {
		reply(codeForeign, nil)
		return
	}
	b := n.batcher.Load()
	if b == nil {
		reply(codeUnavailable, nil)
		return
	}
	b.Read(r.Deadline, remoteWaiter(reply))
}

// remoteWaiter answers a caller on another node.
type remoteWaiter peer.Reply

// Answer implements batch.Waiter.
func (w remoteWaiter) Answer(a batch.Answer) {
	failpoint.Hit(failpoint.ReplyBeforeForwarded)
	if a.Err != nil {
		w(codeOf(a.Err), nil)
		return
	}
	payload := binary.AppendUvarint(make([]byte, 0, 160), a.Index)
	if a.Result != nil {
		payload = codec.AppendResult(payload, a.Result)
	}
	w(peer.CodeOK, payload)
}

// faultCodes says how faults travel. Text never does.
var faultCodes = map[fault.Kind]byte{
	fault.Unavailable: codeUnavailable, fault.Overloaded: codeOverloaded, fault.TimedOut: codeTimedOut,
	fault.Unknown: codeUnknown, fault.TooLarge: codeTooLarge, fault.Internal: codeInternal,
	fault.Invalid: codeInvalid, fault.NoRoom: codeNoRoom,
}

func codeOf(err error) byte { return faultCodes[fault.KindOf(err)] }

// faultOfCode is the inverse of codeOf, for the node that asked.
func faultOfCode(e *peer.CodeError) *fault.Error {
	switch e.Code {
	case codeUnavailable:
		return fault.Wrap(fault.Unavailable, "The leader is changing", e)
	case codeOverloaded:
		return fault.Wrap(fault.Overloaded, "Too many requests are waiting at the leader", e)
	case codeTimedOut:
		return fault.Wrap(fault.TimedOut, "The deadline passed before the leader executed the request", e)
	case codeUnknown:
		return fault.Wrap(fault.Unknown, "The leader changed while the request was being committed", e)
	case codeTooLarge:
		return fault.Wrap(fault.TooLarge, "The request is too large", e)
	case codeInvalid:
		return fault.Wrap(fault.Invalid, "The leader refused: the node is not a voter of this cluster, or the others could not go on without it", e)
	case codeNoRoom:
		return noRoom(strings.Fields(string(e.Payload)))
	case codeForeign:
		return fault.Wrap(fault.Unavailable, "The leader's address belongs to another cluster", e)
	default:
		return fault.Wrap(fault.Internal, "The leader could not read the request", fmt.Errorf("code %d: %w", e.Code, e))
	}
}
