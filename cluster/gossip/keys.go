package gossip

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// KeyID names a key in logs and commands: enough of a hash to compare nodes, and nothing of the key.
func KeyID(key []byte) string {
	hash := sha256.Sum256(key)
	return hex.EncodeToString(hash[:4])
}

// KeyIDs names keys, in their order.
func KeyIDs(keys [][]byte) (ids []string) {
	for _, key := range keys {
		ids = append(ids, KeyID(key))
	}
	return ids
}

// NewKey draws a key.
func NewKey() []byte {
	key := make([]byte, KeyBytes)
	_, _ = rand.Read(key) // it never fails
	return key
}

// Keys returns the keys, of which the first encrypts; none if gossip is not encrypted.
func (g *Gossip) Keys() [][]byte {
	if g.keys == nil {
		return nil
	}
	return slices.Clone(g.keys.GetKeys())
}

func checkKeys(keys [][]byte) error {
	if len(keys) > MaxKeys {
		return fmt.Errorf("gossip: %d keys, at most %d are allowed", len(keys), MaxKeys)
	}
	for i, key := range keys {
		if len(key) != KeyBytes {
			return fmt.Errorf("gossip: the key has %d bytes, it must have %d", len(key), KeyBytes)
		}
		if slices.ContainsFunc(keys[:i], func(other []byte) bool { return bytes.Equal(key, other) }) {
			return errors.New("gossip: a key is there twice")
		}
	}
	return nil
}

// SetKeys replaces the keys: the first encrypts what this node sends, and each decrypts what others send. Members understand each other
// while each has the first key of every other one.
func (g *Gossip) SetKeys(keys [][]byte) error {
	switch {
	case g.keys == nil:
		return errors.New("gossip: it is not encrypted; keys need a restart of all nodes")
	case len(keys) == 0:
		return errors.New("gossip: no key")
	}
	if err := checkKeys(keys); err != nil {
		return err
	}
	for _, key := range keys {
		if err := g.keys.AddKey(key); err != nil {
			return fmt.Errorf("gossip: add a key: %w", err)
		}
	}
	if err := g.keys.UseKey(keys[0]); err != nil {
		return fmt.Errorf("gossip: use a key: %w", err)
	}
	for _, old := range slices.Clone(g.keys.GetKeys()) { // RemoveKey moves what GetKeys returned
		if !slices.ContainsFunc(keys, func(key []byte) bool { return bytes.Equal(key, old) }) {
			if err := g.keys.RemoveKey(old); err != nil {
				return fmt.Errorf("gossip: remove a key: %w", err)
			}
		}
	}
	return nil
}
