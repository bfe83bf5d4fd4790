package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/creditd/creditd/scripts/chaos/faultrun"
	"github.com/creditd/creditd/scripts/launch"
)

// build is one of the two builds that meet.
type build struct {
	binary  string
	version string // what it says of itself
	min     int    // the lowest ledger version that it takes, and the highest
	max     int
}

func (b build) String() string {
	return fmt.Sprintf("%s, ledger versions %d to %d", b.version, b.min, b.max)
}

type builds struct {
	old, new build
	possible []faultrun.Fault // faults that both can be hurt with
	lincheck string
}

// rises says whether the ledger version rises when all nodes run the newer build.
func (b builds) rises() bool { return b.new.max > b.old.max }

// makeBuilds compiles what is not given, and asks both builds for their ledger versions.
func makeBuilds(ctx context.Context, s settings, dir string) (b builds, err error) {
	b.old.binary, b.new.binary, b.possible = s.oldPath, s.newPath, s.faults
	if len(b.possible) == 0 {
		// Builds before the present one take a vote away from a node that lost its data before its successor has one.
		others := slices.DeleteFunc(faultrun.Faults(), func(f faultrun.Fault) bool { return f == faultrun.Replace })
		b.possible = append([]faultrun.Fault{exchange, exchange, exchange}, others...)
	}
	if s.oldPath != "" || s.newPath != "" {
		b.possible = withoutFaultFiles(b.possible)
	}
	if b.old.binary == "" {
		if b.old.binary, err = (launch.Build{Tags: launch.Faulty, Version: "v0.0.1-old"}).Into(ctx, dir); err != nil {
			return b, err
		}
	}
	if b.new.binary == "" {
		tags := launch.Faulty + ",nextversion"
		if s.oldPath != "" {
			tags = launch.Faulty
		}
		if b.new.binary, err = (launch.Build{Tags: tags, Version: "v0.0.2-new"}).Into(ctx, dir); err != nil {
			return b, err
		}
	}
	if b.lincheck, err = faultrun.Lincheck.Into(ctx, dir); err != nil {
		return b, err
	}
	for _, one := range []*build{&b.old, &b.new} {
		if err := one.ask(ctx, dir); err != nil {
			return b, fmt.Errorf("%s: %w", one.binary, err)
		}
	}
	if b.old.version == b.new.version {
		return b, fmt.Errorf("both builds are %s, so their messages do not tell which is meant", b.old.version)
	}
	if b.new.max < b.old.max {
		return b, errors.New("the newer build has the lower ledger version")
	}
	return b, nil
}

// withoutFaultFiles leaves out the faults that only a build for tests can be hurt with.
func withoutFaultFiles(faults []faultrun.Fault) (rest []faultrun.Fault) {
	for _, fault := range faults {
		switch fault {
		case faultrun.SlowDisk, faultrun.HungDisk, faultrun.CrashPoint, faultrun.Clock:
		default:
			rest = append(rest, fault)
		}
	}
	return rest
}

// ask reads the version of a build from the command line, and its ledger versions from a cluster of one.
func (b *build) ask(ctx context.Context, dir string) error {
	out, err := exec.CommandContext(ctx, b.binary, "version").Output()
	if err != nil {
		return fmt.Errorf("creditd version: %w", err)
	}
	words := strings.Fields(string(out))
	if len(words) < 2 {
		return fmt.Errorf("creditd version prints %q", out)
	}
	b.version = words[1]
	dir = filepath.Join(dir, "ask-"+b.version)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	cluster, err := launch.StartCluster(ctx, launch.Options{Binary: b.binary, Dir: dir, Nodes: 1, LogStore: "boltdb"})
	if err != nil {
		return err
	}
	defer cluster.Close()
	_, status, err := cluster.FindLeader(ctx, 0)
	if err != nil {
		return err
	}
	// Builds from before there were ledger versions have the first one.
	b.min, b.max = max(1, status.Nodes[0].LedgerVersions.Min), max(1, status.Nodes[0].LedgerVersions.Max)
	return nil
}
