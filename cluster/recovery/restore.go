package recovery

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/creditd/creditd/cluster/backup"
	"github.com/creditd/creditd/cluster/generation"
	"github.com/creditd/creditd/store"
)

// Restored is a cluster of one that a backup was made to.
type Restored struct {
	Backup    backup.Header
	NodeID    string
	ClusterID string // as nodes compare it
}

// Restore makes the data directory options.Dir of a backup. The directory must be missing or empty. clusterID names the new cluster; empty: the
// next generation of the cluster of the backup.
func Restore(from io.Reader, options store.Options, clusterID string) (Restored, error) {
	if err := refuseData(options.Dir); err != nil {
		return Restored{}, err
	}
	r, err := backup.NewReader(from, options.Reads)
	if err != nil {
		return Restored{}, err
	}
	if clusterID == "" {
		clusterID = generation.Parse(r.Header.ClusterID).Next().String()
	}
	dir := options.Dir
	options.Dir = filepath.Join(dir, stagingName)
	if err := os.RemoveAll(options.Dir); err != nil { // of an interrupted restore
		return Restored{}, err
	}
	f, err := found(options)
	if err != nil {
		return Restored{}, err
	}
	done := Restored{Backup: r.Header, NodeID: f.store.NodeID(), ClusterID: clusterID}
	if err = f.fill(r); err == nil {
		err = f.load()
	}
	if err == nil {
		err = f.finish(clusterID, r.Header.Index, r.Header.Term, 0)
	}
	if err != nil {
		return done, errors.Join(fmt.Errorf("restoring the snapshot: %w", err), f.discard(options.Dir))
	}
	if err := rename(options.Dir, filepath.Join(dir, placingName)); err != nil {
		return done, err
	}
	return done, place(dir)
}

// fill writes the records of a backup into the new directory as a snapshot.
func (f *founding) fill(r *backup.Reader) error {
	sink, err := f.sink(r.Header.Index, r.Header.Term)
	if err != nil {
		return err
	}
	sink.SetLedger(r.Header.Ledger())
	for {
		key, value, err := r.Next()
		if errors.Is(err, io.EOF) {
			return sink.Close()
		}
		if err == nil {
			err = sink.Put(key, value)
		}
		if err != nil {
			return errors.Join(err, sink.Cancel())
		}
	}
}

// refuseData refuses a directory that has anything but what an interrupted restore, or a file system, leaves.
func refuseData(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var found []string
	for _, e := range entries {
		if e.Name() != stagingName && e.Name() != "lost+found" {
			found = append(found, e.Name())
		}
	}
	if len(found) > 0 {
		return fmt.Errorf("%s is not empty (it has %s): a snapshot is restored into a new or an empty directory only", dir, strings.Join(found[:min(3, len(found))], ", "))
	}
	return nil
}
