package rpc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/peer"
)

// The codes of answers that are faults. Numbers are append only.
const (
	codeUnavailable byte = iota + 1
	codeOverloaded
	codeTimedOut
	codeUnknown
	codeTooLarge
	codeInternal
	codeForeign   // the request is meant for another cluster
	codeMalformed // the request could not be read
	codeInvalid
	codeDiskFull
	codeUnsupported // the node does not know the method
)

// codes is how the kinds of faults travel.
var codes = map[fault.Kind]byte{
	fault.Unavailable: codeUnavailable, fault.Overloaded: codeOverloaded, fault.TimedOut: codeTimedOut, fault.Unknown: codeUnknown,
	fault.TooLarge: codeTooLarge, fault.Internal: codeInternal, fault.Invalid: codeInvalid, fault.DiskFull: codeDiskFull,
	fault.Unsupported: codeUnsupported,
}

// kinds is the inverse of codes. A code of a newer build is a fault that this one cannot explain.
var kinds = func() map[byte]fault.Kind {
	kinds := map[byte]fault.Kind{codeForeign: fault.Unavailable, codeMalformed: fault.Internal}
	for kind, code := range codes {
		kinds[code] = kind
	}
	return kinds
}()

// Unsupported is the cause of a fault: the node that was asked does not know the method.
type Unsupported struct {
	Method string
	Build  string // of the node that was asked; "": unknown
}

// Error implements error.
func (u *Unsupported) Error() string {
	return fmt.Sprintf("creditd %s does not support the request %q", u.Build, u.Method)
}

// maxText bounds each text of a fault message.
const maxText = 1024

// faultMessage is what travels with a code:
//
//	detail length uvarint | detail | build length uvarint | build | fields of newer builds
type faultMessage struct {
	detail string
	build  string
}

func (m faultMessage) append(b []byte) []byte {
	return appendText(appendText(b, m.detail), m.build)
}

func appendText(b []byte, s string) []byte {
	s = s[:min(len(s), maxText)]
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decodeFault returns the fields that are there: an older build sends none, or fewer.
func decodeFault(b []byte) (m faultMessage) {
	detail, b, ok := cutText(b)
	if !ok {
		return m
	}
	m.detail = detail
	m.build, _, _ = cutText(b)
	return m
}

func cutText(b []byte) (text string, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > maxText || n > uint64(len(b)-size) {
		return "", nil, false
	}
	b = b[size:]
	return strings.ToValidUTF8(string(b[:n]), "�"), b[n:], true
}

// encodeFault is the answer that tells an error. Its cause stays here.
func encodeFault(err error) (code byte, payload []byte) {
	var f *fault.Error
	if !errors.As(err, &f) {
		return codeInternal, nil
	}
	return codes[f.Kind], faultMessage{detail: f.Detail}.append(nil)
}

// faultOf is the inverse of encodeFault, for the node that asked.
func faultOf(method string, e *peer.CodeError) *fault.Error {
	kind, known := kinds[e.Code]
	if !known {
		kind = fault.Internal
	}
	m := decodeFault(e.Payload)
	f := &fault.Error{Kind: kind, Detail: m.detail, Cause: e}
	if e.Code == codeUnsupported && m.build != "" {
		f.Detail = fmt.Sprintf("A node of the cluster runs creditd %s, which does not support this request", m.build)
		f.Cause = &Unsupported{Method: method, Build: m.build}
	}
	return f
}
