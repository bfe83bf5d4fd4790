package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

// operator has the settings of a command that talks to a node. Such commands embed it.
type operator struct {
	rootKey rootKeySettings
	addr    string
	timeout time.Duration
	node    *client.Client // once the settings are checked
}

func (o *operator) bind(s *settings.Set) {
	o.addr, o.timeout = "http://"+defaultHTTPAddr, 10*time.Second
	s.Group("Node")
	settings.Value(s, &o.addr, "addr", "URL", "any node of the cluster, as URL or HOST:PORT", parseNodeURL)
	o.rootKey.bind(s)
	s.Duration(&o.timeout, "timeout", time.Millisecond, "how long to wait for the answer")
}

func (o *operator) check(_ invocation, s *settings.Set) {
	o.rootKey.check(s)
	o.node = client.New(client.Config{Node: o.addr, RootKey: o.rootKey.key, Timeout: o.timeout, Proxy: http.ProxyFromEnvironment})
}

// call makes one request. Its errors name the flags that may be wrong.
func (o *operator) call(endpoint string, request, result any) error {
	_, err := o.page(endpoint, request, result)
	return err
}

// page is call that also returns where the next page of a list begins.
func (o *operator) page(endpoint string, request, result any) (next string, err error) {
	answer := o.node.Call(context.Background(), endpoint, request, result)
	return answer.Cursor, advise(answer.Err)
}

// advise adds to an error of a call what the operator can do.
func advise(err error) error {
	var refused *client.Error
	switch {
	case errors.Is(err, client.ErrUnreachable):
		return fmt.Errorf("%w; is the node running, and is this its HTTP address (--addr)?", err)
	case errors.Is(err, client.ErrForeign):
		return fmt.Errorf("%w; is this the HTTP address of a node (--addr)?", err)
	case errors.Is(err, client.ErrTimeout):
		return fmt.Errorf("%w (--timeout)", err)
	case !errors.As(err, &refused):
		return err
	case refused.Status == http.StatusUnauthorized:
		return fmt.Errorf("%w; is this a root key of this cluster? It comes from --root-key, --root-key-file or CREDITD_ROOT_KEY", err)
	case refused.Status == http.StatusServiceUnavailable:
		return fmt.Errorf("%w; nothing was changed, try again later", err)
	case refused.Outcome == client.Unknown:
		return fmt.Errorf("%w; the change may have taken effect: check before you try again", err)
	}
	return err
}

// parseNodeURL accepts http://host:port and host:port.
func parseNodeURL(raw string) (string, error) {
	text := raw
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Host == "" || parsed.User != nil:
		return "", errors.New("not a URL of a node, for example http://127.0.0.1:7070")
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return "", errors.New("the scheme is neither http nor https")
	case parsed.RawQuery != "" || parsed.Fragment != "":
		return "", errors.New("a node's URL has neither a query nor a fragment")
	}
	return strings.TrimRight(text, "/"), nil
}

// reporter has the settings of a command that asks a node for something and shows it.
type reporter struct {
	operator
	output
}

func (r *reporter) bind(s *settings.Set) {
	r.operator.bind(s)
	r.output.bind(s)
}

// output has the settings of a command with a result that programs may read.
type output struct {
	form   string
	asJSON bool
}

func (o *output) bind(s *settings.Set) {
	o.form = "text"
	s.Group("Output")
	settings.Choice(s, &o.form, "output,o", "form of the result", "text", "json")
	s.Switch(&o.asJSON, "json", "the same as --output json")
}

// print writes value as JSON, or else the text.
func (o *output) print(w io.Writer, value any, text func(io.Writer) error) error {
	if o.asJSON || o.form == "json" {
		return printJSON(w, value)
	}
	return text(w)
}

// printJSON writes one value as indented JSON.
func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
