package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

// roll restarts the three nodes, one after the other. binary, if given, is what they and the operator run from then on.
func (c *cluster) roll(ctx context.Context, binary string) error {
	if binary != "" {
		c.binary = binary
	}
	for i := range 3 {
		if err := errors.Join(c.stop(i), c.start(i)); err != nil {
			return err
		}
		if err := c.awaitReady(ctx, i); err != nil {
			return err
		}
	}
	return c.awaitVoters(ctx, 0, 3)
}

// replaceNode takes a node's disk away.
func replaceNode(ctx context.Context, c *cluster) error {
	if err := c.stop(2); err != nil {
		return err
	}
	if err := errors.Join(c.lose(2), c.start(2)); err != nil {
		return err
	}
	if err := c.awaitReady(ctx, 2); err != nil {
		return err
	}
	return c.awaitVoters(ctx, 0, 3)
}

func grow(ctx context.Context, c *cluster) error {
	for _, i := range []int{3, 4} {
		if err := c.start(i); err != nil {
			return err
		}
		if err := c.awaitReady(ctx, i); err != nil {
			return err
		}
		if err := c.awaitVoters(ctx, 0, i+1); err != nil {
			return err
		}
	}
	return nil
}

// shrink removes the nodes that came last, by the names that the operator gave them.
func shrink(ctx context.Context, c *cluster) error {
	var status struct {
		Nodes []struct {
			NodeID   string `json:"nodeId"`
			HTTPAddr string `json:"httpAddr"`
		} `json:"nodes"`
	}
	if err := c.call(ctx, 0, "cluster.getStatus", struct{}{}, &status); err != nil {
		return err
	}
	for _, i := range []int{4, 3} {
		for _, n := range status.Nodes {
			if strings.HasSuffix(n.HTTPAddr, c.nodes[i].HTTP) {
				if _, err := c.creditd(ctx, "cluster", "remove", n.NodeID); err != nil {
					return err
				}
			}
		}
		select {
		case <-c.nodes[i].process.Ended():
		case <-ctx.Done():
			return fmt.Errorf("%s was removed and did not stop", c.nodes[i].name)
		}
		c.nodes[i].process = nil
		if err := c.awaitVoters(ctx, 0, i); err != nil {
			return err
		}
	}
	return nil
}

// replaceCertificates gives each node a new certificate under the same name, and waits until clients see it.
func replaceCertificates(ctx context.Context, c *cluster) error {
	for i := range 3 {
		name := c.nodes[i].name
		if err := c.makeCertificate(ctx, name+"-new"); err != nil {
			return err
		}
		if err := errors.Join(os.Rename(c.file(name+"-new.key"), c.file(name+".key")), os.Rename(c.file(name+"-new.crt"), c.file(name+".crt"))); err != nil {
			return err
		}
	}
	if err := c.hangup(); err != nil {
		return err
	}
	for i := range 3 {
		want, err := certificate(c.file(c.nodes[i].name + ".crt"))
		if err != nil {
			return err
		}
		err = launch.Await(ctx, "the new certificate", func(ctx context.Context) error {
			conn, err := (&tls.Dialer{Config: c.trust}).DialContext(ctx, "tcp", c.nodes[i].HTTP)
			if err != nil {
				return err
			}
			defer conn.Close()
			if shown := conn.(*tls.Conn).ConnectionState().PeerCertificates[0]; !shown.Equal(want) {
				return fmt.Errorf("%s shows the certificate with the serial number %v", c.nodes[i].name, shown.SerialNumber)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return c.roll(ctx, "") // the nodes now meet with the new ones
}

func certificate(path string) (*x509.Certificate, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return x509.ParseCertificate(block.Bytes)
}

// save saves a snapshot with a root key that may do nothing else, and checks the file.
func (c *cluster) save(ctx context.Context, name string) error {
	c.backups++
	made, err := c.creditd(ctx, "rootkey", "create", "--name", fmt.Sprintf("backup %d", c.backups), "--permission", "backup.*.read", "--json")
	if err != nil {
		return err
	}
	var root struct {
		Key string `json:"key"`
	}
	if err := json.Unmarshal([]byte(made), &root); err != nil {
		return fmt.Errorf("%w in %s", err, made)
	}
	if err := c.write("backup.key", root.Key); err != nil {
		return err
	}
	if _, err := c.creditd(ctx, "snapshot", "save", name, "--root-key-file", "backup.key"); err != nil {
		return err
	}
	_, err = c.creditd(ctx, "snapshot", "verify", name)
	return err
}

// loseQuorum takes the disks of two nodes away while clients debit. The survivor leads, so it has all that was acknowledged.
func loseQuorum(ctx context.Context, c *cluster, clients int) error {
	if err := c.lead(ctx, 0); err != nil {
		return err
	}
	load := c.startLoad(clients)
	err := load.progress(ctx)
	if err == nil {
		err = errors.Join(c.lose(1), c.lose(2), c.stop(0))
	}
	load.stop()
	if err != nil {
		return err
	}
	if _, err := c.creditd(ctx, "recover", "--data-dir", c.nodes[0].Data, "--yes"); err != nil {
		return err
	}
	if err := c.comeBack(ctx); err != nil {
		return err
	}
	left, err := c.balance(ctx, 0)
	if err != nil {
		return err
	}
	if most, least := c.ledger-load.acknowledged.Load(), c.ledger-load.attempted.Load(); left > most || left < least {
		return fmt.Errorf("the balance is %d; with what clients were told it is between %d and %d", left, least, most)
	}
	c.ledger = left
	return c.expectBalance(ctx, c.ledger)
}

// loseAll takes all disks away after a snapshot, and restores it.
func loseAll(ctx context.Context, c *cluster) error {
	if err := c.save(ctx, "last.snapshot"); err != nil {
		return err
	}
	if err := errors.Join(c.lose(0), c.lose(1), c.lose(2)); err != nil {
		return err
	}
	if _, err := c.creditd(ctx, "snapshot", "restore", "last.snapshot", "--data-dir", c.nodes[0].Data); err != nil {
		return err
	}
	if err := c.comeBack(ctx); err != nil {
		return err
	}
	if err := c.expectBalance(ctx, c.ledger); err != nil {
		return err
	}
	load := c.startLoad(1)
	err := load.progress(ctx)
	load.stop()
	if err != nil {
		return err
	}
	return c.checkBalance(ctx, load)
}

// comeBack starts the first node, which has the ledger, and then the others, which have nothing.
func (c *cluster) comeBack(ctx context.Context) error {
	for i := range 3 {
		if err := c.start(i); err != nil {
			return err
		}
		if err := c.awaitReady(ctx, i); err != nil {
			return err
		}
	}
	return c.awaitVoters(ctx, 0, 3)
}

// lead makes node i the leader.
func (c *cluster) lead(ctx context.Context, i int) error {
	return launch.Await(ctx, c.nodes[i].name+" to lead", func(ctx context.Context) error {
		var status launch.Status
		if err := c.call(ctx, i, "cluster.getStatus", struct{}{}, &status); err != nil {
			return err
		}
		for _, n := range status.Nodes {
			if !strings.HasSuffix(n.HTTPAddr, c.nodes[i].HTTP) {
				continue
			}
			if n.NodeID == status.LeaderID {
				return nil
			}
			err := c.call(ctx, i, "cluster.transferLeadership", map[string]any{"nodeId": n.NodeID}, nil)
			return errors.Join(err, launch.Pause(ctx, 200*time.Millisecond), errors.New("another node leads"))
		}
		return errors.New("it is not in the status")
	})
}
