package main

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"time"

	"github.com/creditd/creditd/cmd/creditd/internal/certs"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

var _ = register(registration{use: "tls", short: "make certificates",
	long: `Makes an authority, and certificates of nodes and clients. The page docs/operating.md shows how they
are used and replaced.`})

const (
	defaultAuthorityLife   = 10 * 365 * 24 * time.Hour
	defaultCertificateLife = 365 * 24 * time.Hour
	leastCertificateLife   = time.Minute
)

// issuing has the settings that the three commands share.
type issuing struct {
	dir, name string
	life      time.Duration
}

func (c *issuing) bind(s *settings.Set, name, usage string) {
	c.dir, c.name = ".", name
	s.Group("Certificate")
	s.Text(&c.dir, "dir", "DIR", "where the files are written")
	settings.Value(s, &c.name, "name", "NAME", usage, parseFileName)
	s.Duration(&c.life, "valid", leastCertificateLife, "how long the certificate is valid")
}

// write writes a certificate and its key, and says until when it is valid.
func (c *issuing) write(in invocation, made *certs.Made) error {
	base := filepath.Join(c.dir, c.name)
	if err := made.Write(base+".crt", base+".key"); err != nil {
		return err
	}
	_, err := fmt.Fprintf(in.stdout, "certificate  %s\nkey          %s\nvalid until  %s\n", base+".crt", base+".key", made.NotAfter.UTC().Format(time.RFC3339))
	return err
}

var fileName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$`)

func parseFileName(raw string) (string, error) {
	if !fileName.MatchString(raw) {
		return "", errors.New("not the beginning of a file name: letters, digits and the characters . _ - are allowed")
	}
	return raw, nil
}

var _ = register(registration{group: "tls", use: "init", short: "make an authority",
	long: `Makes an authority that signs certificates: NAME.crt and NAME.key in --dir. Nodes and clients get
the first. Keep the second off the nodes: whoever has it can make a node of the cluster. Files that
exist are not overwritten.`,
	make: func() command { return &tlsInit{issuing{life: defaultAuthorityLife}} }})

type tlsInit struct{ issuing }

func (c *tlsInit) bind(s *settings.Set) { c.issuing.bind(s, "ca", "name of the files") }

func (c *tlsInit) check(invocation, *settings.Set) {}

func (c *tlsInit) run(in invocation) error {
	made, err := certs.NewAuthority("creditd authority", in.now, c.life)
	if err != nil {
		return err
	}
	return c.write(in, made)
}

// signing has the settings of a certificate that an authority signs.
type signing struct {
	issuing
	ca, caKey string
}

func (c *signing) bind(s *settings.Set, name, usage string) {
	c.issuing.bind(s, name, usage)
	c.ca, c.caKey = "ca.crt", "ca.key"
	s.Text(&c.ca, "ca", "FILE", "the authority that 'creditd tls init' made")
	s.Text(&c.caKey, "ca-key", "FILE", "its private key")
}

// sign makes the certificate, writes it, and leaves nothing behind if that fails.
func (c *signing) sign(in invocation, request certs.Request) error {
	authority, err := certs.LoadAuthority(c.ca, c.caKey)
	if err != nil {
		return fmt.Errorf("--ca, --ca-key: %w", err)
	}
	request.Name, request.From, request.Life = c.name, in.now, c.life
	made, err := authority.Sign(request)
	if err != nil {
		return err
	}
	return c.write(in, made)
}

var _ = register(registration{group: "tls", use: "node", short: "make the certificate of a node",
	long: `Makes the certificate of a node: NAME.crt and NAME.key in --dir, for --peer-tls-cert and
--peer-tls-key, and for --http-tls-cert and --http-tls-key. It has the mark of a node (the URI
` + certs.NodeMark + `), without which the other nodes refuse it. Name every host by which other nodes and
clients reach the node. Files that exist are not overwritten.`,
	make: func() command { return &tlsNode{signing: signing{issuing: issuing{life: defaultCertificateLife}}} }})

type tlsNode struct {
	signing
	hosts []string
}

func (c *tlsNode) bind(s *settings.Set) {
	c.signing.bind(s, "node", "name of the files and of the certificate")
	s.Items(&c.hosts, "host", "HOST", "host name or IP address of the node, without a port", parseHost)
}

func (c *tlsNode) check(_ invocation, s *settings.Set) {
	if len(c.hosts) == 0 && s.Fine("host") {
		s.Refuse("host", "missing; name the host of --advertise-peer, and those that clients use")
	}
}

func (c *tlsNode) run(in invocation) error {
	return c.sign(in, certs.Request{Hosts: c.hosts, Node: true})
}

var hostName = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_-]{0,62})\.)*[A-Za-z0-9_][A-Za-z0-9_-]{0,62}$`)

func parseHost(raw string) (string, error) {
	if addr, err := netip.ParseAddr(raw); err == nil && addr.Zone() == "" {
		return raw, nil
	}
	if len(raw) > 253 || !hostName.MatchString(raw) {
		return "", errors.New("neither a host name nor an IP address")
	}
	return raw, nil
}

var _ = register(registration{group: "tls", use: "client", short: "make the certificate of a client",
	long: `Makes the certificate of a client of nodes with --http-tls-client-ca: NAME.crt and NAME.key in
--dir, for --cert-file and --key-file of the other commands. It makes no node of the cluster. Files
that exist are not overwritten.`,
	make: func() command { return &tlsClient{signing{issuing: issuing{life: defaultCertificateLife}}} }})

type tlsClient struct{ signing }

func (c *tlsClient) bind(s *settings.Set) {
	c.signing.bind(s, "client", "name of the files and of the certificate")
}

func (c *tlsClient) check(invocation, *settings.Set) {}

func (c *tlsClient) run(in invocation) error { return c.sign(in, certs.Request{}) }
