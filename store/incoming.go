package store

import (
	"os"

	"github.com/creditd/creditd/store/failpoint"
)

// incomingFile is a whole state.db that arrives from another node or from a backup.
type incomingFile struct {
	file  *os.File
	steps Syncing // of file
	path  string
	size  int64
}

func (s *snapshots) createIncoming() (*incomingFile, error) {
	path := s.incomingPath()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, ioError(path, "creating the file", err)
	}
	return &incomingFile{file: f, steps: Syncing{File: f}, path: path}, nil
}

func (in *incomingFile) write(p []byte) (int, error) {
	n, err := in.steps.Write(p)
	in.size += int64(n)
	return n, ioError(in.path, "writing", err)
}

func (in *incomingFile) discard() {
	_ = in.file.Close()
	_ = os.Remove(in.path)
}

// finishInstall syncs, verifies and installs the received file. What it says of its ledger is the file's. Index, term and configuration are
// raft's: they differ from the file's when an operator restores a backup.
func (k *sink) finishInstall() error {
	if k.in == nil {
		return &Error{Kind: KindInvalid, Path: k.statePath(), Message: "nothing was written to the snapshot"}
	}
	f, err := k.openIncoming()
	if err != nil {
		return err
	}
	if err := k.checkRecords(f); err != nil {
		_ = f.db.Close()
		return err
	}
	defer k.begin(0)()
	if err := k.installIncoming(f); err != nil {
		_ = f.db.Close()
		return err
	}
	_ = k.in.file.Close()
	k.in = nil
	k.done.written = k.header.Count
	return nil
}

// openIncoming syncs and checks every byte of the received file before it opens it.
func (k *sink) openIncoming() (*stateFile, error) {
	defer k.begin(2 * allowance(k.in.size))()
	if err := k.in.file.Sync(); err != nil {
		return nil, ioError(k.in.path, "fsync", err)
	}
	failpoint.Hit(failpoint.CopySynced)
	got, err := verifyState(k.in.path, k.store.reads)
	switch KindOf(err) {
	case KindFailed, KindNewer, KindOlder:
		return nil, err
	}
	if err != nil || got == nil {
		return nil, &Error{Kind: KindInvalid, Path: k.in.path,
			Message: "the received snapshot is not valid and was not installed; the node that sent it may have a damaged disk", Err: err}
	}
	failpoint.Hit(failpoint.CopyVerified)
	k.header.setLedger(got.ledger())
	k.header.Count, k.header.Sum = got.Count, got.Sum
	f, err := openStateFile(k.in.path)
	if err == nil {
		f.kinds = got.kinds
	}
	return f, err
}

// checkRecords lets the caller check the received records. There is no older snapshot to return to, so a snapshot that does not load
// must not replace one that does. The watchdog does not measure the caller's check.
func (k *sink) checkRecords(f *stateFile) error {
	if k.check == nil {
		return nil
	}
	tx, err := f.db.Begin(false)
	if err != nil {
		return ioError(f.path, "reading the received snapshot", err)
	}
	err = k.check(&reader{store: k.store, file: f, tx: tx, header: &k.header})
	_ = tx.Rollback() // only reads
	if err == nil || KindOf(err) == KindClosed {
		return err
	}
	return &Error{Kind: KindInvalid, Path: f.path,
		Message: "the received snapshot does not load and was not installed; the node that sent it may differ from this one", Err: err}
}

func (k *sink) installIncoming(f *stateFile) error {
	if err := k.raise(); err != nil {
		return err
	}
	if err := f.putHeader(&k.header); err != nil {
		return err
	}
	k.lockWrites()
	defer k.store.writeMu.Unlock()
	// Check again: this node may have taken a snapshot since the first byte.
	if err := k.store.checkInstall(&k.header); err != nil {
		return err
	}
	return k.store.install(f)
}
