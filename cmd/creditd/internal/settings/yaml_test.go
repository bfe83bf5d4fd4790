package settings

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseYAML(t *testing.T) {
	for text, want := range map[string][]string{
		"":                          nil,
		"# nothing\n":               nil,
		"---\naddr: a:1\n":          nil,
		"\ufeffaddr: a:1\r\n":       nil,
		"addr: 'a # b' # why":       nil,
		"peer: a":                   nil,
		"peer: [a, b]":              nil,
		"max-size: 1KiB\non: yes\n": {`f.yaml:2: on: "yes": neither true nor false`},
		"addr: 1\n\naddr: 2":        {"f.yaml:3: addr is already set in line 1"},
		"addr: [a:1, a:2]":          {"f.yaml:1: addr takes one value"},
		"addr:":                     {"f.yaml:1: addr has no value; remove the line, or name one"},
		"addr: ''":                  {"f.yaml:1: addr has no value; remove the line, or name one"},
		"peer: []":                  {"f.yaml:1: peer has no value; remove the line, or name one"},
		"peer:\n- a\n- {b: 1}\n- ":  {"f.yaml:3: peer must have a plain value", "f.yaml:4: peer has no value; remove the line, or name one"},
		"two: 2\nconfig: other":     {`f.yaml:1: no setting is called "two"; the names are those of the flags, without the dashes`, `f.yaml:2: no setting is called "config"; the names are those of the flags, without the dashes`},
		"raft:\n  wait: 5s":         {"f.yaml:1: raft must have a plain value"},
		"addr = 1":                  {"f.yaml:1: the file must read `name: value`"},
		"- addr":                    {"f.yaml:1: the file must read `name: value`"},
		"addr: 1\n---\naddr: 2":     {"f.yaml: the file must hold one document"},
		"addr: [":                   {"f.yaml: line 1: did not find expected node content"},
		"wait: 5s\n\tcount: 1":      {"f.yaml: line 2: found a tab character that violates indentation"},
	} {
		p := newPart()
		lines := p.set.parseFile("f.yaml", text)
		for _, o := range p.set.list {
			p.set.settle(o, func(string) (string, bool) { return "", false }, lines[o.name])
		}
		require.Equal(t, want, p.set.problems, text)
	}
}

// TestResolve_TakesYAML: the same settings as from lines, whatever type YAML sees in a value.
func TestResolve_TakesYAML(t *testing.T) {
	path := filepath.Join(t.TempDir(), "part.yaml")
	require.NoError(t, os.WriteFile(path, []byte("addr: b:2\nwait: 6s\ncount: 8\nmax-size: 2GiB\nmode: safe\non: true\npeer:\n  - A\n  - B,C\n"), 0o600))
	p := newPart()
	problems, _ := settle(t, p, nil, "", "--config", path, "--count", "9")
	require.Empty(t, problems)
	require.Equal(t, "b:2", p.addr)
	require.Equal(t, 6*time.Second, p.wait)
	require.Equal(t, 9, p.count)
	require.EqualValues(t, 2<<30, p.size)
	require.Equal(t, "safe", p.mode)
	require.True(t, p.on)
	require.Equal(t, []string{"a", "b", "c"}, p.peers)
	_, source := p.set.Source("mode")
	require.Equal(t, path+":5: mode", source)
}

func TestSettings_DescribesEachAndItsSource(t *testing.T) {
	p := newPart()
	problems, path := settle(t, p, map[string]string{"CREDITD_KEY": "k"}, "wait = 6s\n", "--peer", "b", "--peer", "c")
	require.Empty(t, problems)
	byName := map[string]Setting{}
	for _, one := range p.set.Settings() {
		byName[one.Name] = one
	}
	require.NotContains(t, byName, "config")
	require.Equal(t, Setting{Name: "wait", Group: "One", Argument: "DURATION", Usage: "how long", Env: "CREDITD_WAIT", Default: "2m",
		Values: []string{"6s"}, Origin: File, Source: path + ":1: wait"}, byName["wait"])
	require.Equal(t, []string{"b", "c"}, byName["peer"].Values)
	require.True(t, byName["peer"].Many)
	require.Nil(t, byName["addr"].Values)
	require.True(t, byName["key"].Secret)
}
