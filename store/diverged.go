package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// MarkDiverged records that the ledger of this directory differs from that of the other nodes. Later calls of Open refuse the directory,
// so that it never votes again. It returns the error to stop with. undecided means that no majority of nodes agrees on a ledger.
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

// checkDiverged refuses a directory after MarkDiverged.
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
