package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// part is what a command binds.
type part struct {
	addr    string
	wait    time.Duration
	size    uint64
	count   int
	mode    string
	on      bool
	peers   []string
	secret  string
	command *cobra.Command
	set     *Set
}

func newPart() *part {
	p := &part{addr: "a:1", wait: 2 * time.Minute, size: 256 << 20, count: 7, mode: "fast", command: &cobra.Command{Use: "part"}}
	p.set = New(p.command)
	p.set.Group("One")
	p.set.Text(&p.addr, "addr", "HOST:PORT", "where")
	p.set.Duration(&p.wait, "wait", time.Second, "how long")
	p.set.Size(&p.size, "max-size", "how much")
	p.set.Group("Two")
	Number(p.set, &p.count, "count", 1, 9, "how many")
	Choice(p.set, &p.mode, "mode,m", "which", "fast", "safe")
	p.set.Switch(&p.on, "on", "whether")
	p.set.Items(&p.peers, "peer", "HOST", "who", func(item string) (string, error) { return strings.ToLower(item), nil })
	p.set.Secret(&p.secret, "key", "use CREDITD_KEY")
	p.set.ConfigFile()
	return p
}

// settle gives a part the flags, the environment and the lines of a file, and returns what is wrong.
func settle(t *testing.T, p *part, env map[string]string, file string, args ...string) (problems []string, path string) {
	t.Helper()
	if env == nil {
		env = map[string]string{}
	}
	if file != "" {
		path = filepath.Join(t.TempDir(), "conf")
		require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
		env["CREDITD_CONFIG"] = path
	}
	require.NoError(t, p.command.ParseFlags(args))
	p.set.Resolve(func(name string) (string, bool) { value, ok := env[name]; return value, ok })
	err := p.set.Err()
	if err == nil {
		return nil, path
	}
	var wrong *UsageError
	require.ErrorAs(t, err, &wrong)
	return wrong.Problems, path
}

func TestResolve_FlagThenVariableThenFileThenDefault(t *testing.T) {
	p := newPart()
	problems, path := settle(t, p, map[string]string{"CREDITD_ADDR": "env:1", "CREDITD_WAIT": "5s", "CREDITD_MODE": "", "CREDITD_KEY": "k"},
		"addr = file:1\nwait = 6s\nmode = safe\ncount = 8\npeer = A\npeer = B, C\n", "--addr", "x:1", "--addr=flag:1", "--on")
	require.Empty(t, problems)
	require.Equal(t, "flag:1", p.addr, "the last flag")
	require.Equal(t, 5*time.Second, p.wait)
	require.Equal(t, "safe", p.mode, "an empty variable is not set")
	require.Equal(t, 8, p.count)
	require.Equal(t, []string{"a", "b", "c"}, p.peers)
	require.True(t, p.on)
	require.Equal(t, "k", p.secret)
	require.EqualValues(t, 256<<20, p.size)
	for name, want := range map[string]string{"addr": "--addr", "wait": "CREDITD_WAIT", "mode": path + ":3: mode", "max-size": "--max-size", "key": "CREDITD_KEY"} {
		_, source := p.set.Source(name)
		require.Equal(t, want, source)
	}

	p = newPart()
	problems, _ = settle(t, p, nil, "peer = a\non = true\n", "--peer", "b", "-m", "safe", "--peer=C,,d", "--on=false", "--max-size", "2GiB")
	require.Empty(t, problems)
	require.Equal(t, []string{"b", "c", "d"}, p.peers, "a flag replaces the list of the file")
	require.Equal(t, "safe", p.mode)
	require.False(t, p.on)
	require.EqualValues(t, 2<<30, p.size)
}

// TestResolve_ReportsEverythingAtOnce, each with the place of the mistake. What does not fit changes nothing.
func TestResolve_ReportsEverythingAtOnce(t *testing.T) {
	p := newPart()
	problems, path := settle(t, p, map[string]string{"CREDITD_MODE": "slow", "CREDITD_COUNT": "10"},
		"wait = 5\non = perhaps\nnothing = 1\nconfig = other\npeer = a\n", "--max-size", "2 pounds", "--key", "hidden")
	require.Equal(t, []string{
		path + `:3: no setting is called "nothing"; the names are those of the flags, without the dashes`,
		path + `:4: no setting is called "config"; the names are those of the flags, without the dashes`,
		path + `:1: wait: "5": not a duration; write it like 500ms, 5s or 2m`,
		`--max-size: "2 pounds": not a size; write it like 256MiB or 2GiB, or as a number of bytes`,
		`CREDITD_COUNT: "10": too large; at most 9`,
		`CREDITD_MODE: "slow": unknown; one of fast, safe`,
		path + `:2: on: "perhaps": neither true nor false`,
		`--key: use CREDITD_KEY`,
	}, problems)
	require.Equal(t, part{addr: "a:1", wait: 2 * time.Minute, size: 256 << 20, count: 7, mode: "fast", peers: []string{"a"}, command: p.command, set: p.set}, *p)
	require.False(t, p.set.Fine("addr", "wait"))
	require.True(t, p.set.Fine("addr", "peer"))
	require.EqualError(t, &UsageError{Problems: []string{"a", "b"}}, "2 things are wrong:\n  - a\n  - b")
}

func TestResolve_Limits(t *testing.T) {
	for value, want := range map[string]string{
		"--wait=999ms": "too short; at least 1s", "--count=0": "too small; at least 1", "--count=1.5": "not a whole number",
		"--max-size=-1": "not a size", "--max-size=9000000TiB": "not a size",
	} {
		problems, _ := settle(t, newPart(), nil, "", value)
		require.Len(t, problems, 1, value)
		require.Contains(t, problems[0], want)
	}
}

// TestResolve_IgnoresOtherVariables: orchestrators make names with our prefix themselves.
func TestResolve_IgnoresOtherVariables(t *testing.T) {
	problems, _ := settle(t, newPart(), map[string]string{"CREDITD_SERVICE_HOST": "10.0.0.1", "CREDITD_PORT": "tcp://10.0.0.1:7070"}, "")
	require.Empty(t, problems)
}

func TestResolve_NamesTheFileThatCannotBeRead(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	problems, _ := settle(t, newPart(), nil, "", "--config", missing)
	require.Len(t, problems, 1)
	require.Contains(t, problems[0], "--config: the configuration file cannot be read")
	require.Contains(t, problems[0], missing)
}

func TestParseFile(t *testing.T) {
	for text, want := range map[string]string{
		"addr = 1":                  "",
		"\ufeffaddr=1\r\n":          "",
		"# addr\n\n  addr =  1 ":    "",
		"addr = \"a # b\"":          "",
		"peer = 1\npeer = 2":        "",
		"addr = 1\n\naddr = 2":      "f:3: addr is already set in line 1",
		"addr":                      "f:1: a line must read `name = value`",
		"addr =":                    "f:1: addr has no value",
		"addr = \"\"":               "f:1: addr has no value",
		"addr = \"a":                "f:1: the quoted value does not end",
		"addr = \"a\" # b":          "f:1: the quoted value does not end",
		"addr = a # b":              "f:1: a comment stands on a line of its own",
		"two = 2":                   `f:1: no setting is called "two"`,
		"[section]\naddr = \"1\"":   "f:1: a line must read",
		"key = k\nmax-size = 1KiB":  "",
		"CREDITD_ADDR = not a name": `f:1: no setting is called "CREDITD_ADDR"`,
	} {
		p := newPart()
		p.set.parseFile("f", text)
		if want == "" {
			require.Empty(t, p.set.problems, text)
		} else {
			require.Len(t, p.set.problems, 1, text)
			require.Contains(t, p.set.problems[0], want, text)
		}
	}
	lines := newPart().set.parseFile("f", "peer = \" 1 \"\npeer = x = y\n")
	require.Equal(t, " 1 ", lines["peer"][0].value)
	require.Equal(t, "x = y", lines["peer"][1].value)
	require.Equal(t, "f:2: peer", lines["peer"][1].place())
}

func TestUsages_ShowsGroupsVariablesAndDefaults(t *testing.T) {
	require.Equal(t, `
One:
      --addr HOST:PORT   where [CREDITD_ADDR] (default a:1)
      --wait DURATION    how long [CREDITD_WAIT] (default 2m)
      --max-size SIZE    how much [CREDITD_MAX_SIZE] (default 256MiB)

Two:
      --count N          how many [CREDITD_COUNT] (default 7)
  -m, --mode fast|safe   which [CREDITD_MODE] (default fast)
      --on               whether [CREDITD_ON]
      --peer HOST        who; repeatable or with commas [CREDITD_PEER]
      --config FILE      read settings from this file, with the names of the flags:
                         YAML (name: value) if it ends in .yaml or .yml, else lines
                         NAME = VALUE; # begins a comment [CREDITD_CONFIG]
`, newPart().set.Usages(90))
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{time.Second: "1s", 90 * time.Second: "1m30s", 2 * time.Minute: "2m", time.Hour: "1h", 0: "0s"} {
		require.Equal(t, want, Short(d))
	}
}
