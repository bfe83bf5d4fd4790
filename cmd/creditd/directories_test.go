package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/fsm"
)

// directoryNotes are what a directory of an earlier build must answer: scripts/olddata writes them.
type directoryNotes struct {
	RootKey       string     `json:"rootKey"`
	Index         uint64     `json:"index"`
	Digest        string     `json:"digest"`
	LedgerVersion uint64     `json:"ledgerVersion"` // absent: 1
	Verifications []exchange `json:"verifications"` // at any time
	Charge        struct {
		Key     string `json:"key"`
		KeyID   string `json:"keyId"`
		Balance int64  `json:"balance"`
	} `json:"charge"`
	Reads []exchange `json:"reads"` // stale, until log time goes on
}

type exchange struct {
	Endpoint string `json:"endpoint"`
	Request  object `json:"request"`
	Data     any    `json:"data"`
}

// TestDirectories_OfEarlierBuildsOpen: after an upgrade everything is as it was, and the node goes on from there.
func TestDirectories_OfEarlierBuildsOpen(t *testing.T) {
	t.Parallel()
	packed, err := filepath.Glob(filepath.Join("testdata", "directories", "*", "*.tar.gz"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(packed), 4)
	faulty, err := chaosBinary()
	require.NoError(t, err)
	for _, archive := range packed {
		name := strings.TrimSuffix(archive, ".tar.gz")
		for when, clock := range map[string]string{"today": "", "in 10 years": "+87600h"} {
			t.Run(strings.TrimPrefix(filepath.ToSlash(name), "testdata/directories/")+" "+when, func(t *testing.T) {
				t.Parallel()
				var notes directoryNotes
				text, err := os.ReadFile(name + ".json")
				require.NoError(t, err)
				require.NoError(t, json.Unmarshal(text, &notes))
				dir := filepath.Join(t.TempDir(), "data")
				unpack(t, archive, dir)
				if clock == "" {
					notes.check(t, binary, dir)
					return
				}
				plant(t, dir, "clock", clock)
				notes.check(t, faulty, dir)
			})
		}
	}
}

func (n *directoryNotes) check(t *testing.T, binary, dir string) {
	t.Helper()
	open := func(options ...string) (*process, *client.Client) {
		p := startBinary(t, binary, nil, append(alone(t, dir), options...)...)
		p.await(p.stderr, `msg=ready`)
		return p, p.client(n.RootKey)
	}
	p, c := open("--hold-ledger-version", strconv.FormatUint(max(1, n.LedgerVersion), 10))
	// Nothing was written yet, so log time and ledger version are still those of the old build.
	nodes := must[api.Status](t, c, "cluster.getStatus", object{}).Nodes
	require.Len(t, nodes, 1)
	require.GreaterOrEqual(t, nodes[0].Digest.Index, n.Index)
	require.Equal(t, n.Digest, nodes[0].Digest.Value)
	for _, read := range n.Reads {
		requireWithin(t, read.Data, staleRead(t, c, read), read)
	}
	for _, verification := range n.Verifications {
		requireWithin(t, lasting(verification.Data), must[any](t, c, verification.Endpoint, verification.Request), verification)
	}

	charged := must[object](t, c, "keys.verifyKey", object{"key": n.Charge.Key})
	require.EqualValues(t, n.Charge.Balance-1, charged["credits"])
	added := addCustomer(t, c, "added", 10)
	p.terminate()
	p, c = open()
	require.Eventually(t, func() bool {
		return must[api.Status](t, c, "cluster.getStatus", object{}).LedgerVersion == fsm.NewestLedgerVersion
	}, patience, 10*time.Millisecond)
	require.EqualValues(t, n.Charge.Balance-2, must[object](t, c, "keys.verifyKey", object{"key": n.Charge.Key})["credits"])
	require.EqualValues(t, 9, must[object](t, c, "keys.verifyKey", object{"key": added})["credits"])
	p.terminate()
}

// lasting removes from a verification what depends on its time.
func lasting(data any) any {
	delete(data.(object), "ratelimits")
	return data
}

// staleRead reads from the node's state as it is, and writes nothing.
func staleRead(t *testing.T, c *client.Client, read exchange) (data any) {
	t.Helper()
	require.NoError(t, c.Call(t.Context(), read.Endpoint, read.Request, &data, client.Header{Name: "Creditd-Consistency", Value: "stale"}).Err)
	return data
}

// requireWithin demands everything that want has. Answers may have further fields: formats add.
func requireWithin(t *testing.T, want, got any, what exchange) {
	t.Helper()
	require.Equal(t, want, restrict(got, want), "%s %v", what.Endpoint, what.Request)
}

// restrict removes from the objects in got what those in want do not have.
func restrict(got, want any) any {
	switch want := want.(type) {
	case object:
		if got, ok := got.(object); ok {
			kept := object{}
			for name, value := range want {
				if found, ok := got[name]; ok {
					kept[name] = restrict(found, value)
				}
			}
			return kept
		}
	case []any:
		if got, ok := got.([]any); ok && len(got) == len(want) {
			kept := make([]any, len(got))
			for i := range got {
				kept[i] = restrict(got[i], want[i])
			}
			return kept
		}
	}
	return got
}

// unpack unpacks a directory. Its files have large reserves of zeros, which take no space on the disk.
func unpack(t *testing.T, archive, dir string) {
	t.Helper()
	packed, err := os.Open(archive)
	require.NoError(t, err)
	defer func() { _ = packed.Close() }()
	unzipped, err := gzip.NewReader(packed)
	require.NoError(t, err)
	for files := tar.NewReader(unzipped); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		require.True(t, filepath.IsLocal(header.Name), header.Name)
		target := filepath.Join(dir, header.Name)
		switch header.Typeflag {
		case tar.TypeDir:
			require.NoError(t, os.MkdirAll(target, 0o700))
		case tar.TypeReg, tar.TypeGNUSparse:
			data, err := io.ReadAll(files)
			require.NoError(t, err)
			writeSparsely(t, target, data)
		default:
			t.Fatalf("%s is neither a file nor a directory", header.Name)
		}
	}
}
