package fitness

import (
	"encoding/binary"
	"errors"

	"github.com/creditd/creditd/cluster/rpc"
)

// Fitness is how a node asks another one for its time and its impairments.
var Fitness = rpc.Method[rpc.Nothing, peerFitness]{
	Number: 8, Name: "fitness", Request: rpc.Empty,
	Answer: rpc.Codec[peerFitness]{Append: appendFitness, Decode: decodeFitness},
}

// peerFitness is what a node reports.
type peerFitness struct {
	nodeID      string
	time        int64 // Unix milliseconds
	impairments impairments
	offset      int64 // from the asking node's time, in milliseconds; not sent
}

// impairments are the reasons why a node should not lead. A bit that this build does not know ranks as none.
type impairments byte

const (
	impairedWallClock impairments = 1 << iota // the wall clock jumped or stands still
	impairedTime                              // the time that goes into the log is not that of the peers
	impairedDiskFull
)

// time varint | impairments u8 | node id
func appendFitness(b []byte, f peerFitness) []byte {
	return append(append(binary.AppendVarint(b, f.time), byte(f.impairments)), f.nodeID...)
}

func decodeFitness(b []byte) (f peerFitness, err error) {
	now, size := binary.Varint(b)
	if size <= 0 || len(b) <= size {
		return f, errors.New("the time is malformed")
	}
	return peerFitness{nodeID: string(b[size+1:]), time: now, impairments: impairments(b[size])}, nil
}

// Serve reports this node's fitness.
func (m *Monitor) Serve(_ rpc.Caller, _ rpc.Nothing, reply rpc.Reply[peerFitness]) {
	reply(peerFitness{nodeID: m.conf.NodeID, time: m.guard.Now(), impairments: m.impairments()}, nil)
}

func (m *Monitor) impairments() (found impairments) {
	s := m.guard.Status()
	if s.WallOff {
		found |= impairedWallClock
	}
	if s.Far {
		found |= impairedTime
	}
	if m.conf.DiskFull() != nil {
		found |= impairedDiskFull
	}
	return found
}
