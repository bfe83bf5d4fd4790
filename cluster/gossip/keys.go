package gossip

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

func checkKeys(keys [][]byte) error {
	if len(keys) > MaxKeys {
		return fmt.Errorf("gossip: %d keys, at most %d are allowed", len(keys), MaxKeys)
	}
	for i, key := range keys {
		if len(key) != keyBytes {
			return fmt.Errorf("gossip: the key has %d bytes, it must have %d", len(key), keyBytes)
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
