package backup

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/creditd/creditd/store"
)

const (
	namePrefix = "creditd-"
	nameSuffix = ".snapshot"
	nameTime   = "20060102T150405Z"
)

// kept is a backup in the directory.
type kept struct {
	name  string
	index uint64
	at    time.Time
	size  int64
}

// nameOf names a backup, so that names of one cluster sort by index.
func nameOf(clusterID string, index uint64, at time.Time) string {
	return fmt.Sprintf("%s%s-%012d-%s%s", namePrefix, clusterID, index, at.UTC().Format(nameTime), nameSuffix)
}

// parseName reads a name. It knows exactly those that nameOf makes for the cluster: whatever else is in the directory is not ours.
func parseName(name, clusterID string) (k kept, ok bool) {
	middle, ours := strings.CutPrefix(name, namePrefix+clusterID+"-")
	middle, ends := strings.CutSuffix(middle, nameSuffix)
	digits, moment, two := strings.Cut(middle, "-")
	if !ours || !ends || !two {
		return kept{}, false
	}
	index, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return kept{}, false
	}
	at, err := time.Parse(nameTime, moment)
	if err != nil || nameOf(clusterID, index, at) != name {
		return kept{}, false
	}
	return kept{name: name, index: index, at: at}, true
}

// list returns the backups of a cluster in a directory, the oldest first.
func list(dir, clusterID string) (files []kept, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		k, ok := parseName(e.Name(), clusterID)
		if !ok || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue // another node that shares the directory has removed it
		}
		if err != nil {
			return nil, err
		}
		k.size = info.Size()
		files = append(files, k)
	}
	slices.SortFunc(files, func(a, b kept) int { return cmp.Or(cmp.Compare(a.index, b.index), a.at.Compare(b.at)) })
	return files, nil
}

// due reports whether no backup is younger than the interval. One from the future does not count beyond the interval: its node's clock was wrong.
func due(files []kept, now time.Time, interval time.Duration) bool {
	return !slices.ContainsFunc(files, func(k kept) bool {
		age := now.Sub(k.at)
		return age < interval && age > -interval
	})
}

// prune removes the oldest of the backups, but for so many.
func prune(dir string, files []kept, keep int) error {
	if len(files) <= keep {
		return nil
	}
	var errs []error
	for _, k := range files[:len(files)-keep] {
		if err := os.Remove(filepath.Join(dir, k.name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, store.SyncDir(dir))...)
}
