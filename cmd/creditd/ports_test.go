package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// notHere is an address for documents (RFC 5737): no machine has it. A node that should listen there ends, once it has warned.
const notHere = "192.0.2.1:0"

func TestServer_WarnsOfOpenAddresses(t *testing.T) {
	t.Parallel()
	const open, admin = `level=WARN msg="HTTP is not encrypted: `, `level=WARN msg="whoever reaches --admin-addr can read`
	dir := issued(t, "node")
	tls := []string{"--http-tls-cert", dir + "/node.crt", "--http-tls-key", dir + "/node.key"}
	for name, test := range map[string]struct {
		args []string
		says string // the only warning
	}{
		"HTTP":                         {args: []string{"--http-addr", notHere}, says: open},
		"HTTPS":                        {args: append([]string{"--http-addr", notHere}, tls...)},
		"admin":                        {args: []string{"--admin-addr", notHere}, says: admin},
		"admin with TLS":               {args: append([]string{"--admin-addr", notHere}, tls...), says: admin},
		"admin that asks for a client": {args: append([]string{"--admin-addr", notHere, "--http-tls-client-ca", dir + "/ca.crt"}, tls...)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, code := runs(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, alone(t, t.TempDir(), test.args...)...)
			require.Equal(t, exitFailed, code)
			require.Contains(t, p.stderr.String(), "192.0.2.1:0: this machine does not have that address", "the address must be what ended it")
			for _, warning := range []string{open, admin} {
				require.Equal(t, warning == test.says, strings.Contains(p.stderr.String(), warning), warning)
			}
		})
	}
}
