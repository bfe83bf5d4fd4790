package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/launch"
)

// holding is what a node must give back after an attack.
type holding struct{ goroutines, descriptors float64 }

// What a node may hold beyond what it held before: connections of the victim and between nodes come and go, and so do files of the log.
const (
	moreGoroutines  = 60
	moreDescriptors = 30
	leakPatience    = 90 * time.Second
)

var (
	goroutines  = regexp.MustCompile(`(?m)^go_goroutines (\S+)$`)
	descriptors = regexp.MustCompile(`(?m)^process_open_fds (\S+)$`)
)

// holds asks each node.
func (b *siege) holds(ctx context.Context) (all []holding, err error) {
	for i := range b.cluster.Size() {
		node := b.cluster.NewClient(i, victimTimeout)
		if admin := b.cluster.Place(i).Admin; admin != "" {
			node = client.New(client.Config{Node: admin, Timeout: victimTimeout, DialTimeout: time.Second})
		}
		_, page, err := node.Get(ctx, "/metrics")
		node.Close()
		if err != nil {
			return nil, fmt.Errorf("the metrics of node %d: %w", i, err)
		}
		var h holding
		for pattern, into := range map[*regexp.Regexp]*float64{goroutines: &h.goroutines, descriptors: &h.descriptors} {
			found := pattern.FindSubmatch(page)
			if found == nil {
				return nil, fmt.Errorf("the metrics of node %d lack %v", i, pattern)
			}
			if *into, err = strconv.ParseFloat(string(found[1]), 64); err != nil {
				return nil, err
			}
		}
		all = append(all, h)
	}
	return all, nil
}

// awaitNoLeak waits until each node has given back what it held for the attackers.
func (b *siege) awaitNoLeak(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, leakPatience)
	defer cancel()
	var now []holding
	err := launch.Await(ctx, "nodes to give back goroutines and descriptors", func(ctx context.Context) (err error) {
		if now, err = b.holds(ctx); err != nil {
			return err
		}
		for i, h := range now {
			before := b.held[i]
			if h.goroutines > before.goroutines+moreGoroutines || h.descriptors > before.descriptors+moreDescriptors {
				return fmt.Errorf("node %d has %v goroutines and %v descriptors, and had %v and %v before", i, h.goroutines, h.descriptors, before.goroutines, before.descriptors)
			}
		}
		return nil
	})
	if err == nil {
		_, _ = fmt.Fprintf(b.log, "goroutines and descriptors: %v before, %v afterwards\n", b.held, now)
	}
	return err
}
