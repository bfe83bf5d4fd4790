package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/creditd/creditd/store"
)

// save makes a backup: under a temporary name until it is on the disk and was read again. A node has one temporary name, so a crash leaves at
// most one such file, which the node's next backup overwrites.
func (k *Keeper) save(ctx context.Context, clusterID string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	file, err := os.OpenFile(filepath.Join(k.conf.Dir, "."+namePrefix+clusterID+"-"+k.conf.NodeID+".part"), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	renamed := false
	defer func() {
		err = errors.Join(err, file.Close())
		if !renamed {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	if err := k.write(ctx, file); err != nil {
		return err
	}
	saved, err := k.readAgain(ctx, file)
	if err != nil {
		return fmt.Errorf("the backup is not what was written: %w", err)
	}
	if saved.ClusterID != clusterID {
		return fmt.Errorf("the backup is of cluster %s, this is %s", saved.ClusterID, clusterID)
	}
	name := nameOf(clusterID, saved.Index, time.UnixMilli(saved.CreatedAt))
	if err := os.Rename(file.Name(), filepath.Join(k.conf.Dir, name)); err != nil {
		return err
	}
	renamed = true
	if err := store.SyncDir(k.conf.Dir); err != nil {
		return err
	}
	k.conf.Logger.Info("backup made", "file", name, "index", saved.Index)
	return nil
}

func (k *Keeper) write(ctx context.Context, file *os.File) (err error) {
	ledger, err := k.conf.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ledger.Close()) }()
	if err := ledger.Write(ctx, &whileLeading{&store.Syncing{File: file}, k.conf.Leads}); err != nil {
		return err
	}
	return file.Sync()
}

// whileLeading refuses to write once the node leads no longer.
type whileLeading struct {
	io.Writer
	leads func() bool
}

// Write implements io.Writer.
func (w *whileLeading) Write(b []byte) (int, error) {
	if !w.leads() {
		return 0, errNoLeader
	}
	return w.Writer.Write(b)
}

// readAgain reads the whole file from its beginning, and checks it.
func (k *Keeper) readAgain(ctx context.Context, file io.ReadSeeker) (Header, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return Header{}, err
	}
	from := &pacedReader{paced: paced{ctx: ctx, to: io.Discard, pace: k.conf.Pace()}, from: file, leads: k.conf.Leads}
	defer from.stop()
	s, err := Inspect(from, k.conf.Reads)
	return s.Header, err
}

// pacedReader takes a turn for what is done with each piece.
type pacedReader struct {
	paced
	from  io.Reader
	leads func() bool
}

// Read implements io.Reader.
func (r *pacedReader) Read(b []byte) (int, error) {
	if !r.leads() {
		return 0, errNoLeader
	}
	var err error
	if r.end == nil {
		err = r.begin()
	} else if time.Since(r.since) >= sliceTime {
		err = r.pause()
	}
	if err != nil {
		return 0, err
	}
	return r.from.Read(b)
}
