package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func checked(t *testing.T, ops ...string) (result, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "history.jsonl")
	text := `{"account":0,"name":"key-1","initial":100,"final":60}` + "\n" + strings.Join(ops, "\n")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return checkFile(name, 10*time.Second, filepath.Dir(name))
}

// Every case differs from an acceptable one in the one answer that makes it wrong.
func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		legal bool
		ops   []string
	}{
		"in turn": {true, []string{
			`{"account":0,"kind":"debit","amount":40,"outcome":"ok","balance":60,"start":1,"end":2}`,
			`{"account":0,"kind":"debit","amount":61,"outcome":"denied","balance":60,"start":3,"end":4}`,
			`{"account":0,"kind":"decrement","amount":90,"outcome":"ok","balance":0,"start":5,"end":6}`,
			`{"account":0,"kind":"set","amount":50,"outcome":"ok","balance":50,"start":7,"end":8}`,
			`{"account":0,"kind":"increment","amount":10,"outcome":"ok","balance":60,"start":9,"end":10}`,
			`{"account":0,"kind":"read","outcome":"ok","balance":60,"start":11,"end":12}`,
		}},
		"stale read": {false, []string{
			`{"account":0,"kind":"debit","amount":40,"outcome":"ok","balance":60,"start":1,"end":2}`,
			`{"account":0,"kind":"read","outcome":"ok","balance":100,"start":3,"end":4}`,
		}},
		"read beside a debit": {true, []string{
			`{"account":0,"kind":"debit","amount":40,"outcome":"ok","balance":60,"start":1,"end":4}`,
			`{"account":0,"kind":"read","outcome":"ok","balance":100,"start":3,"end":5,"client":1}`,
		}},
		"lost debit": {false, []string{
			`{"account":0,"kind":"debit","amount":40,"outcome":"ok","balance":60,"start":1,"end":2}`,
			`{"account":0,"kind":"debit","amount":40,"outcome":"ok","balance":60,"start":3,"end":4}`,
		}},
		"denied although it sufficed": {false, []string{
			`{"account":0,"kind":"debit","amount":100,"outcome":"denied","balance":100,"start":1,"end":2}`,
			`{"account":0,"kind":"debit","amount":40,"outcome":"ok","balance":60,"start":3,"end":4}`,
		}},
		"unknown debit explains the end": {true, []string{
			`{"account":0,"kind":"debit","amount":40,"outcome":"unknown","balance":0,"start":1,"end":2}`,
			`{"account":0,"kind":"read","outcome":"ok","balance":100,"start":3,"end":4}`,
		}},
		"unknown debit took effect twice": {false, []string{
			`{"account":0,"kind":"debit","amount":20,"outcome":"unknown","balance":0,"start":1,"end":2}`,
			`{"account":0,"kind":"read","outcome":"ok","balance":80,"start":3,"end":4}`,
		}},
		"unknown debit came before it was sent": {false, []string{
			`{"account":0,"kind":"read","outcome":"ok","balance":60,"start":1,"end":2}`,
			`{"account":0,"kind":"debit","amount":40,"outcome":"unknown","balance":0,"start":3,"end":4}`,
		}},
		"nothing explains the end": {false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := checked(t, test.ops...)
			if err != nil {
				t.Fatal(err)
			}
			if legal := len(got.Illegal) == 0; legal != test.legal || len(got.Undecided) > 0 {
				t.Fatalf("%+v", got)
			}
			if test.legal {
				return
			}
			if len(got.Pictures) != 1 {
				t.Fatalf("no picture: %+v", got)
			}
			if info, err := os.Stat(got.Pictures[0]); err != nil || info.Size() == 0 {
				t.Fatalf("the picture is empty: %v", err)
			}
		})
	}
}

// A record that cannot be read must not pass for one in which all is well.
func TestCheck_RefusesWhatItCannotRead(t *testing.T) {
	for _, line := range []string{
		`{"account":1,"kind":"read","outcome":"ok"}`, `{"account":0,"kind":"read","outcome":"broken"}`, `{"account":0,`,
	} {
		if got, err := checked(t, line); err == nil {
			t.Fatalf("%s: %+v", line, got)
		}
	}
}
