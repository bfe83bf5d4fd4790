package main

import (
	"fmt"

	"github.com/creditd/creditd/cluster/secret"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

// clusterSecretSettings are the two ways to name the secret that all nodes of a cluster share.
type clusterSecretSettings struct{ text, file string }

func (c *clusterSecretSettings) bind(s *settings.Set) {
	s.Secret(&c.text, "cluster-secret", "an argument shows in the process list; use CREDITD_CLUSTER_SECRET or --cluster-secret-file")
	s.Text(&c.file, "cluster-secret-file", "FILE", "file with the secret that all nodes of the cluster share ('creditd secret new' makes one): encrypts and authenticates gossip and the peer port. CREDITD_CLUSTER_SECRET may hold the secret itself")
}

// check returns the secret. ok is false if there is none, or it is refused.
func (c *clusterSecretSettings) check(s *settings.Set) (shared secret.Secret, ok bool) {
	name, ok := choose(s, "cluster-secret", "cluster secret", &c.text, c.file)
	if !ok {
		return shared, false
	}
	shared, err := secret.Parse(c.text)
	if err != nil {
		s.Refuse(name, "%v; make one with: creditd secret new", err)
	}
	return shared, err == nil
}

var _ = register(registration{use: "secret", short: "make the secret of a cluster", long: "Makes the secret that all nodes of a cluster share."})

var _ = register(registration{group: "secret", use: "new", short: "print a new cluster secret",
	long: `Prints a new secret for --cluster-secret-file. Write it into a file that only creditd can read, the
same on every node: (umask 077; creditd secret new > cluster.secret)`,
	make: func() command { return secretNew{} }})

type secretNew struct{ noSettings }

func (secretNew) run(in invocation) error {
	_, err := fmt.Fprintln(in.stdout, secret.New())
	return err
}
