// Package forge makes what a stranger may send to a gossip port: packets and streams that ended or filled a node of some version of
// memberlist, and random ones. Only tests and commands that attack a node of their own use it.
package forge

import (
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"hash/crc32"

	"github.com/hashicorp/go-msgpack/v2/codec"
)

// The types of messages of memberlist.
const (
	ping = iota
	indirectPing
	ack
	suspect
	alive
	dead
	pushPull
	compound
	user
	compressed
	encrypted
	nack
	checked
	fault
	labelled = 244
)

type fields map[string]any

// message is a message with these fields.
func message(kind byte, f fields) []byte {
	b := bytes.NewBuffer([]byte{kind})
	if err := codec.NewEncoder(b, new(codec.MsgpackHandle)).Encode(f); err != nil {
		panic(err) // of plain values
	}
	return b.Bytes()
}

// withLabel puts the label of a cluster before a packet or a stream.
func withLabel(label string, b []byte) []byte {
	if label == "" {
		return b
	}
	return append(append([]byte{labelled, byte(len(label))}, label...), b...)
}

// Ping is a stream that every member answers, whatever it thinks of its sender.
func Ping(label string) []byte {
	return withLabel(label, message(ping, fields{"SeqNo": 77, "Node": ""}))
}

func pack(b []byte) []byte {
	var out bytes.Buffer
	w := lzw.NewWriter(&out, lzw.LSB, 8)
	_, _ = w.Write(b) // into memory
	_ = w.Close()
	return message(compressed, fields{"Algo": 0, "Buf": out.Bytes()})
}

// bomb becomes size bytes of zeros behind a message type.
func bomb(kind byte, size int) []byte { return pack(append([]byte{kind}, make([]byte, size)...)) }

func nested(b []byte, levels int, wrap func([]byte) []byte) []byte {
	for range levels {
		b = wrap(b)
	}
	return b
}

func compoundOf(parts ...[]byte) []byte {
	b := []byte{compound, byte(len(parts))}
	for _, p := range parts {
		b = binary.BigEndian.AppendUint16(b, uint16(len(p)))
	}
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func withChecksum(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{checked}, crc32.ChecksumIEEE(b)), b...)
}

// deep is a message with an unknown field of lists in lists.
func deep(kind byte, levels int) []byte {
	const mapOf1, listOf1, null = 0x81, 0x91, 0xc0
	b := append([]byte{kind, mapOf1}, "\xa1x"...)
	for range levels {
		b = append(b, listOf1)
	}
	return append(b, null)
}

// claim is a message whose only field is a text that claims to have so many bytes, and has none.
func claim(kind byte, field string, size uint32) []byte {
	const mapOf1, text32 = 0x81, 0xdb
	b := append([]byte{kind, mapOf1, 0xa0 | byte(len(field))}, field...)
	return binary.BigEndian.AppendUint32(append(b, text32), size)
}
