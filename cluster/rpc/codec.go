package rpc

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// Codec is how a request or an answer is encoded. Decode may keep the bytes.
type Codec[T any] struct {
	Append func(b []byte, v T) []byte
	Decode func(b []byte) (T, error)
}

// Nothing is the request or the answer that has no content.
type Nothing struct{}

// Empty encodes nothing, and ignores what a newer build may send.
var Empty = Codec[Nothing]{
	Append: func(b []byte, _ Nothing) []byte { return b },
	Decode: func([]byte) (v Nothing, err error) { return v, nil },
}

// Text is a string, to the end of the message.
var Text = Codec[string]{
	Append: func(b []byte, v string) []byte { return append(b, v...) },
	Decode: func(b []byte) (string, error) { return string(b), nil },
}

// Index is a log index.
var Index = Codec[uint64]{
	Append: binary.AppendUvarint,
	Decode: func(b []byte) (uint64, error) {
		index, _, err := CutIndex(b)
		return index, err
	},
}

// CutIndex splits a log index from what follows it.
func CutIndex(b []byte) (index uint64, rest []byte, err error) {
	index, size := binary.Uvarint(b)
	if size <= 0 {
		return 0, nil, errors.New("the index is malformed")
	}
	return index, b[size:], nil
}

// JSON is for messages that are rare and grow: unknown fields are ignored, missing ones are zero.
func JSON[T any]() Codec[T] {
	return Codec[T]{
		Append: func(b []byte, v T) []byte {
			data, err := json.Marshal(v)
			if err != nil {
				panic(fmt.Sprintf("rpc: %T: %v", v, err)) // messages hold texts and numbers
			}
			return append(b, data...)
		},
		Decode: func(b []byte) (v T, err error) {
			err = json.Unmarshal(b, &v)
			return v, err
		},
	}
}
