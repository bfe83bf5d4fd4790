package main

import (
	"bytes"
	"crypto/tls"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/cmd/creditd/internal/certs"
)

// The status says when the first certificate ends, and warns of each that ends within 30 days. Without certificates it says nothing.
func TestStatus_ShowsWhenCertificatesEnd(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	in := func(days int) int64 { return now.AddDate(0, 0, days).UnixMilli() }
	status := api.Status{Nodes: []api.NodeStatus{{NodeID: "a"}, {NodeID: "b"}}}
	shown := func() string {
		var text bytes.Buffer
		require.NoError(t, printStatus(&text, askedStatus{Status: status}, now))
		return text.String()
	}
	require.NotContains(t, shown(), "certificate")
	require.NotContains(t, shown(), "certs")

	status.Nodes[0].Certificates = []api.CertificateStatus{{Name: "http", NotAfter: in(90)}, {Name: "peer", NotAfter: in(31)}}
	require.Contains(t, shown(), "\ncerts    the first ends at 2030-02-01T00:00:00Z: peer of a\n")
	require.NotContains(t, shown(), "WARNING")

	status.Nodes[1].Certificates = []api.CertificateStatus{{Name: "http", NotAfter: in(29)}, {Name: "http_ca", NotAfter: in(-1)}}
	require.Contains(t, shown(), "WARNING: the certificate http of b ends in 29 days, at 2030-01-30T00:00:00Z: replace its files\n")
	require.Equal(t, []string{"within a day", "in 1 day", "in 2 days"}, []string{inDays(time.Hour), inDays(47 * time.Hour), inDays(48 * time.Hour)})
	require.Contains(t, shown(), "WARNING: the certificate http_ca of b has ended, at 2029-12-31T00:00:00Z")
	require.NotContains(t, shown(), "WARNING: the certificate peer")
}

// A node tells the others when its certificates end.
func TestStatus_HasTheCertificatesOfNodes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	authority, err := certs.NewAuthority("test", time.Now(), 24*time.Hour)
	require.NoError(t, err)
	in := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, authority.Write(in("ca.crt"), in("ca.key")))
	signer, err := certs.LoadAuthority(in("ca.crt"), in("ca.key"))
	require.NoError(t, err)
	made, err := signer.Sign(certs.Request{Name: "node", Hosts: []string{"127.0.0.1"}, Node: true, From: time.Now(), Life: time.Hour})
	require.NoError(t, err)
	require.NoError(t, made.Write(in("node.crt"), in("node.key")))

	p := start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, alone(t, in("data"), "--http-tls-cert", in("node.crt"), "--http-tls-key", in("node.key"))...)
	address := p.await(p.stderr, `msg=started .*http=https://(\S+)`)[1]
	p.await(p.stderr, `msg=ready`)
	pool, err := certs.ReadAuthorities(in("ca.crt"))
	require.NoError(t, err)
	c := client.New(client.Config{Node: "https://" + address, RootKey: testRootKey, Timeout: patience, TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}})
	node := must[api.Status](t, c, "cluster.getStatus", object{}).Nodes[0]
	require.Len(t, node.Certificates, 1)
	require.Equal(t, "http", node.Certificates[0].Name)
	require.WithinDuration(t, time.Now().Add(time.Hour), time.UnixMilli(node.Certificates[0].NotAfter), time.Minute)
	p.terminate()
}
