package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

// refusalTimeout is how long a build may take to refuse.
const refusalTimeout = time.Minute

// checkRefusals starts the older build where the ledger version has risen: on the directory of each node, stopped or killed, and as a
// new node. Builds with equal ledger versions take each other's directories, and rollBack has shown that.
func (r *round) checkRefusals(ctx context.Context) error {
	if !r.rises() {
		r.logf("both builds have ledger version %d: nothing to refuse", r.new.max)
		return nil
	}
	for i := range nodes {
		if i%2 == 0 {
			if err := r.cluster.Stop(i); err != nil {
				return err
			}
		} else {
			r.cluster.Kill(i)
		}
		if err := r.refuses(ctx, launch.Start, r.cluster.Command(r.old.binary, r.cluster.Place(i)), r.cluster.Place(i).Data, refusalTimeout); err != nil {
			return fmt.Errorf("the older build on the directory of node %d: %w", i, err)
		}
		if err := r.cluster.Start(i); err != nil {
			return err
		}
		ready, cancel := context.WithTimeout(ctx, stepTimeout)
		err := r.cluster.AwaitNode(ready, i)
		cancel()
		if err != nil {
			return err
		}
	}
	if !r.newcomer {
		return nil
	}
	place, err := launch.NewPlace(filepath.Join(r.dir, "newcomer"))
	if err != nil {
		return err
	}
	if err := r.refuses(ctx, r.cluster.StartGuest, r.cluster.Command(r.old.binary, place), "", refusalTimeout); err != nil {
		return fmt.Errorf("a new node of the older build: %w", err)
	}
	return r.checkVoters(ctx)
}

// checkVoters sees that the nodes of the cluster are its only voters.
func (r *round) checkVoters(ctx context.Context) error {
	_, status, err := r.cluster.FindLeader(ctx, 0)
	if err != nil {
		return err
	}
	voters := 0
	for _, n := range status.Nodes {
		if n.Voter {
			voters++
		}
	}
	if voters != nodes {
		return fmt.Errorf("the cluster has %d voters, not %d: %+v", voters, nodes, status.Nodes)
	}
	return nil
}

type starter func(launch.Command) (*launch.Process, error)

// refuses starts a node of the older build. It must exit by itself, with a message that names both builds and their ledger versions. It
// must not advise to rebuild the node, and must leave the directory as it is. dir is empty where there is none yet.
func (r *round) refuses(ctx context.Context, start starter, command launch.Command, dir string, timeout time.Duration) error {
	before, err := fingerprint(dir)
	if err != nil {
		return err
	}
	said, err := endOf(ctx, start, command, timeout)
	if err != nil {
		return err
	}
	message := said[max(0, strings.LastIndex(said, "creditd server: ")):] // behind the log
	r.logf("refused: %s", strings.TrimSpace(message))
	for _, want := range []string{r.old.version, r.new.version, "ledger version", strconv.Itoa(r.old.max), strconv.Itoa(r.new.max)} {
		if !strings.Contains(message, want) {
			err = errors.Join(err, fmt.Errorf("the message does not name %q", want))
		}
	}
	if strings.Contains(message, "damaged") {
		err = errors.Join(err, errors.New("the message calls the directory damaged"))
	}
	after, failed := fingerprint(dir)
	if err = errors.Join(err, failed, changes(before, after)); err != nil {
		return fmt.Errorf("%w\nit said:\n%s", err, said)
	}
	return nil
}

// endOf returns what a process said that must fail by itself, in time.
func endOf(ctx context.Context, start starter, command launch.Command, timeout time.Duration) (said string, err error) {
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	process, err := start(command)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	select {
	case <-process.Ended():
	case <-ctx.Done():
		process.Kill()
		return "", fmt.Errorf("it runs, and does not refuse:\n%s", output.String())
	}
	if code := process.State().ExitCode(); code != 1 {
		return "", fmt.Errorf("it ended with %v, not with exit code 1:\n%s", process.State(), output.String())
	}
	return output.String(), nil
}

// fingerprint returns what is in a directory: mode, size and checksum of every file by its path. The empty directory has nothing.
func fingerprint(dir string) (map[string]string, error) {
	files := map[string]string{}
	if dir == "" {
		return files, nil
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		files[path] = info.Mode().String()
		if entry.IsDir() {
			return nil
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		sum := sha256.New()
		_, err = io.Copy(sum, file)
		files[path] += fmt.Sprintf(" %d bytes %x", info.Size(), sum.Sum(nil))
		return errors.Join(err, file.Close())
	})
	return files, err
}

// changes says which files of a directory changed, nil if none did.
func changes(before, after map[string]string) error {
	if maps.Equal(before, after) {
		return nil
	}
	all := maps.Clone(before)
	maps.Copy(all, after)
	var changed []error
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if before[path] != after[path] {
			changed = append(changed, fmt.Errorf("%s was %q and is %q", path, before[path], after[path]))
		}
	}
	return fmt.Errorf("the refused directory was changed: %w", errors.Join(changed...))
}
