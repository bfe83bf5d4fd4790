package store

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
)

// phase is the progress of a directory: creating until all files exist, active once raft has written a term. Each phase is recorded after
// the fact, so a crash only leaves an earlier phase, which the next Open corrects. No crash leaves a ready directory without its files,
// or an active one without a term: Open refuses both.
type phase string

const (
	phaseCreating phase = "creating"
	phaseReady    phase = "ready"
	phaseActive   phase = "active"
)

// identity is the content of meta.json.
type identity struct {
	LayoutVersion int     `json:"layout_version"`
	NodeID        string  `json:"node_id"`
	ClusterID     string  `json:"cluster_id"` // empty until the node joined or bootstrapped one
	LogKind       LogKind `json:"log_kind"`
	Phase         phase   `json:"phase"`
	// LedgerVersion is the ledger version that the directory needs, and Build the one that raised it. Absent: version 1.
	LedgerVersion uint64 `json:"ledger_version,omitzero"`
	Build         string `json:"build,omitzero"`
	// Closed is zero during use and after a crash.
	Closed shutdownMarker `json:"closed,omitzero"`
}

var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func newNodeID() string {
	random := make([]byte, 10)
	_, _ = rand.Read(random) // never fails
	return "node_" + idEncoding.EncodeToString(random)
}

// loadIdentity returns nil without an error when there is no meta.json. It refuses a directory that the build does not read.
func loadIdentity(dir string, reads Versions) (*identity, error) {
	path := filepath.Join(dir, MetaName)
	content, damage, err := loadChecked(path)
	switch {
	case damage != nil:
		return nil, damaged(path, "%v", damage)
	case err != nil || content == nil:
		return nil, err
	}
	return decodeIdentity(path, content, reads)
}

func decodeIdentity(path string, content []byte, reads Versions) (*identity, error) {
	var needs struct {
		LayoutVersion int    `json:"layout_version"`
		LedgerVersion uint64 `json:"ledger_version"`
		Build         string `json:"build"`
	}
	// The versions come first and are read leniently: a newer build may have written unknown fields.
	if err := json.Unmarshal(content, &needs); err != nil {
		return nil, damaged(path, "the content cannot be decoded (%v)", err)
	}
	if needs.LayoutVersion >= 1 {
		if err := reads.check(path, "the directory", needs.LedgerVersion, needs.Build); err != nil {
			return nil, err
		}
		if err := reads.checkLayout(path, needs.LayoutVersion); err != nil {
			return nil, err
		}
	}
	id := &identity{}
	if err := decodeStrictly(content, id); err != nil {
		return nil, damaged(path, "the content cannot be decoded (%v)", err)
	}
	if id.LayoutVersion < 1 || id.NodeID == "" || id.LogKind.validate() != nil ||
		(id.Phase != phaseCreating && id.Phase != phaseReady && id.Phase != phaseActive) {
		return nil, damaged(path, "the content is incomplete")
	}
	return id, nil
}

func decodeStrictly(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("data after the end")
	}
	return nil
}

func saveIdentity(dir string, id identity) error {
	content, err := json.Marshal(id)
	if err != nil {
		return err
	}
	return writeFileDurably(filepath.Join(dir, MetaName), encodeChecked(content))
}
