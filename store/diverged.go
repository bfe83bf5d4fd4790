package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// MarkDiverged records that the ledger of this directory is not that of the other nodes, so that no later Open gives it a vote again,
// and returns the error to stop with. undecided says that nobody knows which ledger is right.
func (s *Store) MarkDiverged(report string, undecided bool) error {
	path := filepath.Join(s.dir, divergedName)
	advice := rebuildNode
	if undecided {
		advice = "find out which node is right and delete this file in its directory; rebuild the others: " + rebuildNode
	}
	if err := writeFileDurably(path, []byte(report+"; "+advice+"\n")); err != nil {
		return errors.Join(&Error{Kind: KindDiffers, Path: s.dir, Message: report + "; " + advice}, err)
	}
	return checkDiverged(s.dir)
}

// checkDiverged refuses a directory that was marked.
func checkDiverged(dir string) error {
	path := filepath.Join(dir, divergedName)
	report, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return ioError(path, "reading", err)
	}
	return &Error{Kind: KindDiffers, Path: path, Message: strings.TrimSpace(string(report))}
}
