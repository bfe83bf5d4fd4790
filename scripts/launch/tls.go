package launch

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/creditd/creditd/api/client"
)

// certificates are the files of a cluster with TLS at the HTTP and peer ports, as `creditd tls` makes them, and a gossip key.
type certificates struct {
	dir   string
	trust *tls.Config
}

// makeCertificates runs the commands that an operator runs.
func makeCertificates(options Options) (*certificates, error) {
	c := &certificates{dir: filepath.Join(options.Dir, "certificates")}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, err
	}
	commands := [][]string{{"secret", "new"}, {"tls", "init"}}
	for i := range options.Nodes {
		commands = append(commands, []string{"tls", "node", "--name", "node" + strconv.Itoa(i), "--host", "127.0.0.1"})
	}
	for _, args := range commands {
		command := exec.Command(options.Binary, args...)
		command.Dir = c.dir
		out, err := command.Output()
		if err == nil && args[0] == "secret" {
			err = os.WriteFile(c.file("gossip.key"), out, 0o600)
		}
		if err != nil {
			return nil, fmt.Errorf("creditd %v: %w: %s", args, err, out)
		}
	}
	trust, err := Trust(c.file("ca.crt"))
	c.trust = trust
	return c, err
}

// Trust makes clients believe the certificates of an authority in a file, and no others.
func Trust(file string) (*tls.Config, error) {
	authority, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

func (c *certificates) file(name string) string { return filepath.Join(c.dir, name) }

// args are those of a node. The name of its certificate is that of its data directory.
func (c *certificates) args(at Place) []string {
	name := filepath.Base(at.Data)
	return []string{
		"--http-tls-cert", c.file(name + ".crt"), "--http-tls-key", c.file(name + ".key"),
		"--peer-tls-cert", c.file(name + ".crt"), "--peer-tls-key", c.file(name + ".key"), "--peer-tls-ca", c.file("ca.crt"),
		"--gossip-key-file", c.file("gossip.key"),
	}
}

// NewClient returns a client of node i that has RootKey; At makes others that share its connections.
func (c *Cluster) NewClient(i int, timeout time.Duration) *client.Client {
	return newClient(c.HTTPAddr(i), timeout, c.trust())
}

// trust is what clients of the nodes trust; nil: the nodes speak plain HTTP.
func (c *Cluster) trust() *tls.Config {
	if c.certificates == nil {
		return nil
	}
	return c.certificates.trust
}
