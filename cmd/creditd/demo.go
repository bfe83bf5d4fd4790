package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/creditd/creditd/api/client"
)

var _ = register(registration{use: "demo", short: "make a sample API, identity and keys, and print requests to paste",
	long: `Makes a sample API, and an identity with 100 credits that two keys share, on a running node. It
prints requests to paste, with the root key that it was given.`,
	make: func() command { return &demoCommand{} }})

// demoCommand is `creditd demo`.
type demoCommand struct{ operator }

func (c *demoCommand) run(in invocation) error {
	made, err := makeSample(context.Background(), c.nodes[0])
	if err != nil {
		return advise(err)
	}
	b := banner{url: c.nodes[0].Node(), rootKey: c.rootKey.key, sample: &made, options: c.tls.curl()}
	var text strings.Builder
	fmt.Fprintf(&text, "The sample data is on %s.\n\n", b.url)
	b.printSample(&text)
	_, err = io.WriteString(in.stdout, text.String())
	return err
}

const (
	sampleCustomer = "demo-customer"
	sampleCredits  = 100
)

// sample is what `creditd demo` and `creditd dev --demo` make: one balance, two keys that spend it.
type sample struct {
	apiID     string
	keys      [2]string
	remaining *int64 // nil: unlimited
}

// makeSample makes the sample data through the API, as a client would. In a
// directory of an earlier run the customer exists, and gets two more keys.
func makeSample(ctx context.Context, node *client.Client) (s sample, err error) {
	var api struct {
		APIID string `json:"apiId"`
	}
	if err := node.Call(ctx, "apis.createApi", map[string]any{"name": "demo"}, &api).Err; err != nil {
		return s, err
	}
	s.apiID = api.APIID
	err = node.Call(ctx, "identities.createIdentity", map[string]any{
		"externalId": sampleCustomer, "credits": map[string]any{"remaining": sampleCredits},
	}, nil).Err
	var refused *client.Error
	if err != nil && (!errors.As(err, &refused) || refused.Kind() != "identity_already_exists") {
		return s, err
	}
	for i := range s.keys {
		var key struct {
			Key string `json:"key"`
		}
		err := node.Call(ctx, "keys.createKey", map[string]any{
			"apiId": s.apiID, "prefix": "demo", "name": fmt.Sprintf("key %d", i+1), "externalId": sampleCustomer,
		}, &key).Err
		if err != nil {
			return s, err
		}
		s.keys[i] = key.Key
	}
	var identity struct {
		Credits *struct {
			Remaining *int64 `json:"remaining"`
		} `json:"credits"`
	}
	if err := node.Call(ctx, "identities.getIdentity", map[string]any{"identity": sampleCustomer}, &identity).Err; err != nil {
		return s, err
	}
	if identity.Credits != nil {
		s.remaining = identity.Credits.Remaining
	}
	return s, nil
}

// banner is what `creditd dev` prints once it is ready.
type banner struct {
	url, rootKey, dataDir string
	temporary             bool
	sample                *sample
	options               string // of curl
}

// print writes the banner. Its requests are complete commands of a POSIX shell.
func (b banner) print(w io.Writer) error {
	var text strings.Builder
	kept := "kept"
	if b.temporary {
		kept = "removed at exit"
	}
	fmt.Fprintf(&text, "creditd %s is ready. For development only: it listens on this machine alone.\n\n", version)
	fmt.Fprintf(&text, "  node      %s\n  root key  %s\n  data      %s (%s)\n", b.url, b.rootKey, b.dataDir, kept)
	if b.sample == nil {
		b.printFirstSteps(&text)
	} else {
		b.printSample(&text)
	}
	fmt.Fprintln(&text, "\nStop it with Ctrl-C.")
	_, err := io.WriteString(w, text.String())
	return err
}

func (b banner) printFirstSteps(w io.Writer) {
	fmt.Fprintln(w, "\nRequests to paste (`creditd dev --demo` makes sample keys as well):")
	b.request(w, "make an API", "apis.createApi", map[string]any{"name": "my-api"})
	b.request(w, "make an identity with credits", "identities.createIdentity", map[string]any{
		"externalId": "customer-1", "credits": map[string]any{"remaining": sampleCredits},
	})
	b.request(w, "show the cluster", "cluster.getStatus", struct{}{})
}

func (b banner) printSample(w io.Writer) {
	credits := "unlimited credits"
	if b.sample.remaining != nil {
		credits = fmt.Sprintf("%d credits", *b.sample.remaining)
	}
	fmt.Fprintf(w, "  API       %s\n  identity  %s: %s, shared by\n  key 1     %s\n  key 2     %s\n",
		b.sample.apiID, sampleCustomer, credits, b.sample.keys[0], b.sample.keys[1])
	fmt.Fprintln(w, "\nRequests to paste:")
	b.request(w, "verify key 1: costs 1 credit", "keys.verifyKey", map[string]any{"key": b.sample.keys[0]})
	b.request(w, "verify key 2: pays from the same balance", "keys.verifyKey", map[string]any{"key": b.sample.keys[1]})
	b.request(w, "spend 10 credits at once", "keys.verifyKey", map[string]any{"key": b.sample.keys[0], "credits": map[string]any{"cost": 10}})
	b.request(w, "show the balance", "identities.getIdentity", map[string]any{"identity": sampleCustomer})
	b.request(w, "set the balance: what the next verification sees", "identities.updateCredits",
		map[string]any{"identity": sampleCustomer, "operation": "set", "value": 500})
	b.request(w, "show the cluster", "cluster.getStatus", struct{}{})
}

// request writes one command on a line of its own, below a comment.
func (b banner) request(w io.Writer, title, endpoint string, body any) {
	text, _ := json.Marshal(body) // of strings and numbers
	fmt.Fprintf(w, "\n# %s\ncurl -sS%s %s -H %s -H 'Content-Type: application/json' -d %s\n",
		title, b.options, quoted(b.url+"/v2/"+endpoint), quoted("Authorization: Bearer "+b.rootKey), quoted(string(text)))
}

// quoted makes one word of a POSIX shell.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
