// Package secret derives what protects the traffic between nodes from one secret that all nodes of a cluster share.
//
// Every derived key has a label of its own, so none of them tells anything about another. The labels are part of the protocol: nodes of two
// builds must derive the same.
package secret

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// MinBytes is how many random bytes a secret stands for at least.
const MinBytes = 32

const (
	gossipLabel = "creditd gossip key 1"
	peerLabel   = "creditd peer identity 1"
)

// Secret is what all nodes of a cluster share. The zero value is no secret.
type Secret struct{ text string }

// New draws a secret and returns its text.
func New() string {
	b := make([]byte, MinBytes)
	_, _ = rand.Read(b) // it never fails
	return base64.StdEncoding.EncodeToString(b)
}

// Parse checks the text of a secret: random bytes in base64 or hexadecimal. An error does not repeat the text.
func Parse(text string) (Secret, error) {
	text = strings.TrimSpace(text) // a variable may end in a line feed, which a file loses
	if strings.ContainsAny(text, " \t\r\n") {
		return Secret{}, errors.New("the cluster secret has white space inside")
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		b, err = base64.StdEncoding.DecodeString(text)
	}
	switch {
	case err != nil:
		return Secret{}, errors.New("the cluster secret is neither base64 nor hexadecimal")
	case len(b) < MinBytes:
		return Secret{}, fmt.Errorf("the cluster secret stands for %d bytes; at least %d are needed", len(b), MinBytes)
	case distinct(b) < MinBytes/4:
		return Secret{}, errors.New("the cluster secret repeats a few bytes, so it can be guessed")
	}
	return Secret{text: text}, nil
}

// distinct counts the different bytes. Of 32 random ones, fewer than 8 differ once in 10^40 times.
func distinct(b []byte) int {
	seen := make(map[byte]bool)
	for _, c := range b {
		seen[c] = true
	}
	return len(seen)
}

// GossipKey returns the key that encrypts gossip, for AES-256.
func (s Secret) GossipKey() ([]byte, error) { return s.derive(gossipLabel) }

func (s Secret) derive(label string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, []byte(s.text), nil, label, 32)
	if err != nil {
		return nil, fmt.Errorf("secret: derive %q: %w", label, err)
	}
	return key, nil
}
