package gossip

import (
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/hashicorp/go-msgpack/v2/codec"
	"github.com/hashicorp/memberlist"
)

// What the members of a cluster send to each other is small. memberlist accepts far more: a packet of 60 KiB that becomes 40 MiB, a
// message of 20 bytes that claims a million members. Without a key anybody may send them, so the guard refuses them before memberlist reads
// them. The limits are several times what maxMembers members need.
const (
	maxPacketBytes   = 2048     // memberlist sends at most 1400
	maxUnpackedBytes = 64 << 10 // of a packet that was decompressed
	maxStreamBytes   = 2 << 20  // also decompressed
	maxStates        = 4096
	maxUserBytes     = 1024
)

// The types of messages that memberlist sends, and what precedes them.
const (
	pingType     = 0
	ackType      = 2
	pushPullType = 6
	compoundType = 7
	userType     = 8
	compressType = 9
	encryptType  = 10
	crcType      = 12
	errType      = 13
	labelType    = 244
)

var (
	errTooLarge = errors.New("gossip: larger than anything that a member sends")
	errNested   = errors.New("gossip: compressed or compound messages inside of another message")
	errKind     = errors.New("gossip: not a type of message that a member sends here")
)

// errLong is errTooLarge of a packet that was not looked into.
var errLong = fmt.Errorf("%w: a long packet", errTooLarge)

// checkPacket returns the packet as memberlist shall see it: not compressed. With a key memberlist decrypts first, and members are trusted.
func checkPacket(packet []byte, keyed bool) ([]byte, error) {
	switch {
	case len(packet) > maxPacketBytes:
		return nil, errLong
	case len(packet) == 0:
		return nil, errKind
	}
	if keyed {
		return packet, nil
	}
	body, _, err := memberlist.RemoveLabelHeaderFromPacket(packet)
	if err != nil {
		return nil, err
	}
	label := packet[:len(packet)-len(body)]
	if len(body) > 5 && body[0] == crcType {
		if crc32.ChecksumIEEE(body[5:]) != binary.BigEndian.Uint32(body[1:5]) {
			return nil, errors.New("gossip: wrong checksum")
		}
		body = body[5:]
	}
	if len(body) > 0 && body[0] == compressType {
		if body, err = unpack(codec.NewDecoderBytes(body[1:], new(codec.MsgpackHandle)), maxUnpackedBytes); err != nil {
			return nil, err
		}
	}
	if err := checkParts(body); err != nil {
		return nil, err
	}
	return append(bytes.Clone(label), body...), nil
}

// checkParts refuses messages inside of messages, which memberlist would take apart one inside of the other.
func checkParts(body []byte) error {
	switch {
	case len(body) == 0:
		return errKind
	case body[0] == compressType || body[0] == crcType:
		return errNested
	case body[0] != compoundType:
		return nil
	case len(body) < 2 || len(body) < 2+2*int(body[1]):
		return errors.New("gossip: a compound message without all its parts")
	}
	lengths, parts := body[2:2+2*int(body[1])], body[2+2*int(body[1]):]
	for ; len(lengths) > 0; lengths = lengths[2:] {
		n := int(binary.BigEndian.Uint16(lengths))
		if n == 0 || n > len(parts) {
			return errors.New("gossip: a compound message with an empty or truncated part")
		}
		switch parts[0] {
		case compoundType, compressType, crcType:
			return errNested
		}
		parts = parts[n:]
	}
	return nil
}

// unpack decompresses a message.
func unpack(dec *codec.Decoder, most int64) ([]byte, error) {
	var packed struct {
		Algo uint8
		Buf  []byte
	}
	if err := dec.Decode(&packed); err != nil {
		return nil, fmt.Errorf("gossip: read a compressed message: %w", err)
	}
	r := lzw.NewReader(bytes.NewReader(packed.Buf), lzw.LSB, 8)
	defer func() { _ = r.Close() }()
	var out bytes.Buffer
	switch n, err := io.Copy(&out, io.LimitReader(r, most+1)); {
	case err != nil:
		return nil, fmt.Errorf("gossip: decompress a message: %w", err)
	case n > most:
		return nil, errTooLarge
	}
	return out.Bytes(), nil
}

// checkStream reads the beginning of a stream and returns the whole as memberlist shall see it.
func checkStream(conn io.Reader, keyed bool) (io.Reader, error) {
	limited := io.LimitReader(conn, maxStreamBytes)
	var label, head bytes.Buffer
	kind, err := readLabel(limited, &label)
	if err != nil {
		return nil, err
	}
	head.WriteByte(kind)
	if keyed {
		if kind != encryptType {
			return nil, errors.New("gossip: a message that is not encrypted")
		}
		if _, err := io.CopyN(&head, limited, 4); err != nil {
			return nil, err
		}
		if binary.BigEndian.Uint32(head.Bytes()[1:]) > maxStreamBytes {
			return nil, errTooLarge
		}
		return io.MultiReader(&label, &head, limited), nil
	}
	rest := limited
	if kind == compressType {
		body, err := unpack(codec.NewDecoder(limited, new(codec.MsgpackHandle)), maxStreamBytes)
		if err != nil {
			return nil, err
		}
		if len(body) == 0 || body[0] == compressType {
			return nil, errNested
		}
		head.Reset()
		head.WriteByte(body[0])
		kind, rest = body[0], bytes.NewReader(body[1:])
	}
	if err := checkHeader(kind, io.TeeReader(rest, &head)); err != nil {
		return nil, err
	}
	return io.MultiReader(&label, &head, rest), nil
}

// readLabel copies the label of a stream, and returns the type of the message behind it.
func readLabel(r io.Reader, label *bytes.Buffer) (kind byte, err error) {
	one := make([]byte, 1)
	if _, err := io.ReadFull(r, one); err != nil || one[0] != labelType {
		return one[0], err
	}
	label.WriteByte(labelType)
	if _, err := io.CopyN(label, r, 1); err != nil {
		return 0, err
	}
	if _, err := io.CopyN(label, r, int64(label.Bytes()[1])); err != nil {
		return 0, err
	}
	_, err = io.ReadFull(r, one)
	return one[0], err
}

// checkHeader reads what a message says of its own size, for which memberlist allocates memory.
func checkHeader(kind byte, r io.Reader) error {
	var header struct{ Nodes, UserStateLen, UserMsgLen int64 }
	switch kind {
	case pingType, ackType, errType:
		return nil // they have no header, and the stream is bounded
	case pushPullType, userType:
		if err := codec.NewDecoder(r, new(codec.MsgpackHandle)).Decode(&header); err != nil {
			return fmt.Errorf("gossip: read the header of a message: %w", err)
		}
	default:
		return errKind
	}
	if header.Nodes < 0 || header.Nodes > maxStates || header.UserStateLen != 0 || header.UserMsgLen < 0 || header.UserMsgLen > maxUserBytes {
		return fmt.Errorf("%w: %d members, %d and %d bytes", errTooLarge, header.Nodes, header.UserStateLen, header.UserMsgLen)
	}
	return nil
}
