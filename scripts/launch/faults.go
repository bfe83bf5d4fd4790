package launch

import (
	"os"
	"path/filepath"
	"time"
)

// HasLinks reports whether the links between the nodes can be hurt.
func (c *Cluster) HasLinks() bool { return c.net != nil }

// Block holds back everything that node from sends to node to.
func (c *Cluster) Block(from, to int) { c.net.Block(c.nodes[from].Peer, c.nodes[to].Peer) }

// Delay makes everything that node from sends to node to take delay and up to jitter longer.
func (c *Cluster) Delay(from, to int, delay, jitter time.Duration) {
	c.net.Delay(c.nodes[from].Peer, c.nodes[to].Peer, delay, jitter)
}

// HealLinks ends all blocks and delays.
func (c *Cluster) HealLinks() { c.net.HealAll() }

// HasDisk reports whether node 0 has a disk that can be filled.
func (c *Cluster) HasDisk() bool { return c.disk != nil }

// FillDisk leaves spare bytes free on the disk of node 0. Until FreeDisk the node may end on its own.
func (c *Cluster) FillDisk(spare int64) error {
	c.ExpectExit(0, true)
	return c.disk.fill(spare)
}

// FreeDisk gives the disk of node 0 its space back.
func (c *Cluster) FreeDisk() error { return c.disk.free() }

// Inject tells a node that was built with the tag Faulty what is wrong with its "clock" or "disk-free", or which "failpoints" are
// armed. An empty text ends the fault.
func (c *Cluster) Inject(i int, what, text string) error {
	return Inject(c.nodes[i].Data, what, text)
}

// Inject is Cluster.Inject for a node that is known by its data directory. The file appears whole or not at all.
func Inject(dataDir, what, text string) error {
	dir := dataDir + ".chaos"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	name := filepath.Join(dir, what)
	if err := os.WriteFile(name+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// ExpectExit says that the present process of node i may end on its own, or that it may not any more.
func (c *Cluster) ExpectExit(i int, expected bool) {
	if process := c.Process(i); process != nil {
		process.expectExit(expected)
	}
}

// Pause freezes node i; a node that is down stays down.
func (c *Cluster) Pause(i int) error {
	if !c.Running(i) {
		return nil
	}
	return c.Process(i).Pause()
}

// Resume lets a paused node continue.
func (c *Cluster) Resume(i int) error {
	if !c.Running(i) {
		return nil
	}
	return c.Process(i).Resume()
}
