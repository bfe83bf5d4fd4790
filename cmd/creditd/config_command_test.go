package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConfigCheck_SaysAllThatIsWrong(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "creditd.yaml")
	write(t, file, "data-dir: "+filepath.Join(dir, "data")+"\nbootstrap-expect: 1\n")
	in := here(nil, "config", "check", "--config", file)
	require.Equal(t, exitDone, run(in), in.stderr)
	require.Equal(t, "the settings are good\n", in.stdout.(*bytes.Buffer).String())
	require.NoDirExists(t, filepath.Join(dir, "data"), "a check changes nothing")

	write(t, file, "data-dir: "+dir+"\nbootstrap-expect: 2\nhttp-adr: 127.0.0.1:1\n")
	in = here(map[string]string{"CREDITD_LOG_LEVEL": "loud"}, "config", "check", "--config", file)
	require.Equal(t, exitUsage, run(in))
	said := in.stderr.(*bytes.Buffer).String()
	require.Contains(t, said, file+`:2: bootstrap-expect: "2": must be odd`)
	require.Contains(t, said, file+`:3: no setting is called "http-adr"`)
	require.Contains(t, said, `CREDITD_LOG_LEVEL: "loud": unknown`)
}

// TestConfigShow_CanBeReadAgain: what it shows is a file that gives the same settings, and holds no secret.
func TestConfigShow_CanBeReadAgain(t *testing.T) {
	dir := t.TempDir()
	file, shown := filepath.Join(dir, "conf"), filepath.Join(dir, "shown.yaml")
	write(t, file, "data-dir = \""+dir+" # 1\"\nbootstrap-expect = 3\nlog-level = debug\njoin = 10.0.0.1:1\njoin = 10.0.0.2:1\n")
	env := map[string]string{"CREDITD_CONFIG": file, "CREDITD_ROOT_KEY": testRootKey, "CREDITD_HTTP_IDLE_TIMEOUT": "90s"}
	in := here(env, "config", "show", "--http-addr", "127.0.0.1:1234", "--insecure-peers")
	require.Equal(t, exitDone, run(in), in.stderr)
	text := in.stdout.(*bytes.Buffer).String()
	for _, line := range []string{
		"data-dir: '" + dir + " # 1'  # " + file + ":1\n", "join: 10.0.0.1:1,10.0.0.2:1  # " + file + ":4\n", "log-level: debug  # " + file + ":3\n",
		"http-addr: 127.0.0.1:1234  # --http-addr\n", "http-idle-timeout: 90s  # CREDITD_HTTP_IDLE_TIMEOUT\n", "insecure-peers: true  # --insecure-peers\n",
		"peer-addr: 127.0.0.1:7071  # default\n", "# advertise-http: not set\n", "rejoin: false  # default\n", "# root-key: set, not shown  # CREDITD_ROOT_KEY\n",
	} {
		require.Contains(t, text, line)
	}
	require.NotContains(t, text, testRootKey)

	write(t, shown, text)
	in = here(map[string]string{"CREDITD_ROOT_KEY": testRootKey}, "config", "show", "--config", shown)
	require.Equal(t, exitDone, run(in), in.stderr)
	require.Equal(t, valuesOf(text), valuesOf(in.stdout.(*bytes.Buffer).String()))
}

// valuesOf cuts the sources off.
func valuesOf(text string) string { return regexp.MustCompile(`  # .*`).ReplaceAllString(text, "") }

// TestConfigReference_IsTheDocument: docs/settings.md is generated.
func TestConfigReference_IsTheDocument(t *testing.T) {
	in := here(nil, "config", "reference")
	require.Equal(t, exitDone, run(in))
	have, err := os.ReadFile("../../docs/settings.md")
	require.NoError(t, err)
	require.Equal(t, in.stdout.(*bytes.Buffer).String(), string(have), "go run ./cmd/creditd config reference > docs/settings.md (or make fix)")
}
