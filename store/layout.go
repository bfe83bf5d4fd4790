package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The layout version is raised when an older build could misread the directory. 2: log entries have a checksum. 3: meta.json names the
// ledger version. A directory keeps layout 2 while its ledger version is 1, so that builds without ledger versions read it.
const (
	oldestLayout           = 2
	layoutOfLedgerVersions = 3
	newestLayout           = layoutOfLedgerVersions
)

// The files that whoever moves a data directory must know: the lock is of one process, and without meta.json no node starts.
const (
	LockName = "LOCK"
	MetaName = "meta.json"
)

const (
	stableName   = "stable.db"
	logName      = "log.db"
	walName      = "wal"
	stateName    = "state.db"
	divergedName = "DIVERGED"
	removedName  = "REMOVED"
	selfTestName = "selftest"

	departuresName = "departures.json"
	gossipKeysName = "gossip-keys.json"
	resetName      = "rootkey-reset.json"

	incomingPrefix = stateName + ".incoming."
	tmpSuffix      = ".tmp"
)

// LogKind names the implementation of raft's log.
type LogKind string

// The kinds of log: raft-boltdb, which is older, and raft-wal, which is faster.
const (
	LogBolt LogKind = "boltdb"
	LogWAL  LogKind = "wal"
)

func (k LogKind) validate() error {
	switch k {
	case LogBolt, LogWAL:
		return nil
	}
	return &Error{Kind: KindInvalid, Message: fmt.Sprintf("unknown kind of log %q; use %q or %q", string(k), LogBolt, LogWAL)}
}

// file returns the name of the kind's file or directory.
func (k LogKind) file() string {
	if k == LogWAL {
		return walName
	}
	return logName
}

// makeDir creates the data directory with its parents.
func makeDir(dir string) error {
	if dir == "" {
		return &Error{Kind: KindInvalid, Message: "no data directory given"}
	}
	var missing []string
	for d := filepath.Clean(dir); ; d = filepath.Dir(d) {
		found, err := exists(d)
		if err != nil {
			return err
		}
		if found {
			break
		}
		missing = append(missing, d)
	}
	if len(missing) == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return ioError(dir, "creating the data directory", err)
	}
	for _, d := range missing {
		if err := SyncDir(filepath.Dir(d)); err != nil {
			return err
		}
	}
	return nil
}

// checkOurs refuses a directory without meta.json, unless it has nothing but what an interrupted creation leaves. An ext4 mount point
// contains lost+found.
func checkOurs(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ioError(dir, "reading the data directory", err)
	}
	var ours, foreign []string
	for _, e := range entries {
		switch name := e.Name(); {
		case name == MetaName:
			return nil
		case name == LockName || name == MetaName+tmpSuffix || name == selfTestName+tmpSuffix || name == gossipKeysName || name == "lost+found" || strings.HasPrefix(name, asidePrefix):
		case name == stableName || name == logName || name == walName || name == stateName || strings.HasPrefix(name, stateName+"."):
			ours = append(ours, name)
		default:
			foreign = append(foreign, name)
		}
	}
	if len(ours) > 0 {
		return &Error{Kind: KindMissing, Path: filepath.Join(dir, MetaName),
			Message: fmt.Sprintf("the file is missing but %s is there: a part of the node's state was removed; %s", strings.Join(ours, ", "), rebuildNode)}
	}
	if len(foreign) > 0 {
		return &Error{Kind: KindForeign, Path: dir,
			Message: fmt.Sprintf("the directory is not empty and was not made by creditd (found %s); name an empty or new directory", strings.Join(foreign[:min(3, len(foreign))], ", "))}
	}
	return nil
}

// removeLeftovers deletes the unfinished files of an interrupted process.
func removeLeftovers(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ioError(dir, "reading the data directory", err)
	}
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, incomingPrefix) || isOurTmp(name) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return ioError(filepath.Join(dir, name), "removing a leftover", err)
			}
		}
	}
	return nil
}

func isOurTmp(name string) bool {
	switch strings.TrimSuffix(name, tmpSuffix) {
	case MetaName, stableName, logName, stateName, divergedName, removedName, departuresName, gossipKeysName, resetName, selfTestName:
		return strings.HasSuffix(name, tmpSuffix)
	}
	return false
}

// checkParts refuses a directory that raft may have written to if a file is missing.
func checkParts(dir string, kind LogKind) error {
	for _, name := range []string{stableName, kind.file(), stateName} {
		path := filepath.Join(dir, name)
		found, err := exists(path)
		if err != nil {
			return err
		}
		if !found {
			return &Error{Kind: KindMissing, Path: path,
				Message: "the directory has a node id but this file is missing: a node that lost a part of its state must not vote; " + rebuildNode}
		}
	}
	return nil
}
