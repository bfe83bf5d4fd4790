package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

// connection has the settings that say which node a command talks to, and how.
type connection struct {
	tls     tlsSettings
	addrs   []string
	timeout time.Duration
	nodes   []*client.Client // once the settings are checked; they share their connections
}

func (c *connection) bind(s *settings.Set) {
	c.addrs, c.timeout = []string{defaultHTTPAddr}, cmp.Or(c.timeout, 10*time.Second)
	s.Group("Node")
	s.Items(&c.addrs, "addr", "URL", "any node of the cluster, as URL or HOST:PORT; of several, the first that can be reached is asked", parseNodeURL)
	c.tls.bind(s)
	s.Duration(&c.timeout, "timeout", time.Millisecond, "how long to wait for the answer")
}

// connect makes the clients, with the root key that their calls carry.
func (c *connection) connect(s *settings.Set, rootKey string) {
	conf := c.tls.check(s)
	if len(c.addrs) == 0 {
		s.Refuse("addr", "missing; name a node of the cluster")
		return
	}
	for i, addr := range c.addrs {
		if c.tls.wanted() && !hasScheme(addr) {
			c.addrs[i] = "https://" + addr
		}
	}
	first := client.New(client.Config{
		Node: c.addrs[0], TLS: conf, RootKey: rootKey, Timeout: c.timeout, DialTimeout: min(c.timeout, dialTimeout), Proxy: http.ProxyFromEnvironment,
	})
	c.nodes = []*client.Client{first}
	for _, addr := range c.addrs[1:] {
		c.nodes = append(c.nodes, first.At(addr))
	}
}

// operator has the settings of a command that makes requests with a root key. Such commands embed it.
type operator struct {
	connection

	rootKey rootKeySettings
}

func (o *operator) bind(s *settings.Set) {
	o.connection.bind(s)
	o.rootKey.bind(s)
}

func (o *operator) check(_ invocation, s *settings.Set) {
	o.rootKey.check(s)
	o.connect(s, o.rootKey.key)
}

// dialTimeout is how long a host that does not answer keeps the command from the next --addr.
const dialTimeout = 2 * time.Second

// reach makes one request at the first node that can be reached, and says which one answered. A node that may have got the request is the
// last.
func (o *operator) reach(ctx context.Context, endpoint string, request, result any, headers ...client.Header) (answer client.Answer, node *client.Client) {
	var unreachable []error
	for _, node = range o.nodes {
		answer = node.Call(ctx, endpoint, request, result, headers...)
		if answer.Err == nil || answer.Outcome != client.NotExecuted || answer.Status != 0 {
			return answer, node
		}
		unreachable = append(unreachable, answer.Err)
	}
	answer.Err = errors.Join(unreachable...)
	return answer, node
}

// askFollowersFirst moves the leader behind the other nodes, for a request that costs a node much and that any of them can serve. Where that is
// unknown, the order stays.
func (o *operator) askFollowersFirst() {
	if len(o.nodes) < 2 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	for i, node := range o.nodes {
		var status api.Status
		if node.Call(ctx, "cluster.getStatus", struct{}{}, &status).Err == nil && status.NodeID == status.LeaderID {
			o.nodes = append(slices.Delete(o.nodes, i, i+1), node)
			return
		}
	}
}

// stream asks the first node that can be reached for an answer that may take longer than --timeout.
func (o *operator) stream(watch *stallWatch, endpoint string, request any, minIndex uint64) (body io.ReadCloser, header http.Header, err error) {
	var unreachable []error
	for _, node := range o.nodes {
		watch.begin()
		body, header, err = node.Stream(watch.ctx, endpoint, request, minIndex)
		watch.pause()
		if !errors.Is(err, client.ErrUnreachable) || watch.ctx.Err() != nil {
			return body, header, err
		}
		unreachable = append(unreachable, err)
	}
	return nil, nil, errors.Join(unreachable...)
}

// call makes one request. Its errors name the flags that may be wrong.
func (o *operator) call(endpoint string, request, result any) error {
	_, err := o.page(endpoint, request, result)
	return err
}

// page is call that also returns where the next page of a list begins.
func (o *operator) page(endpoint string, request, result any) (next string, err error) {
	answer, _ := o.reach(context.Background(), endpoint, request, result)
	return answer.Cursor, advise(answer.Err)
}

// advise adds to an error of a call what the operator can do.
func advise(err error) error {
	var refused *client.Error
	var unverified *tls.CertificateVerificationError
	var network *net.OpError
	switch {
	case errors.As(err, &unverified):
		return fmt.Errorf("%w; name the authority of the nodes' certificates with --ca-file", err)
	case errors.As(err, &network) && network.Op == "remote error": // an alert of TLS
		return fmt.Errorf("%w; do the nodes demand a certificate of their clients (--cert-file, --key-file)?", err)
	case errors.Is(err, client.ErrUnreachable):
		return fmt.Errorf("%w; is the node running, and is this its HTTP address (--addr)?", err)
	case errors.Is(err, client.ErrForeign):
		return fmt.Errorf("%w; is this the HTTP address of a node (--addr), and does it begin with https:// if the node has a certificate?", err)
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

// parseNodeURL accepts a URL and host:port.
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
	return strings.TrimRight(raw, "/"), nil
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
	settings.Choice(s, &o.form, "output,o", "form of the result; table is another word for text", "text", "table", "json")
	s.Switch(&o.asJSON, "json", "the same as --output json")
}

// print writes value as JSON, or else the text.
func (o *output) print(w io.Writer, value any, text func(io.Writer) error) error {
	if o.inJSON() {
		return printJSON(w, value)
	}
	return text(w)
}

func (o *output) inJSON() bool { return o.asJSON || o.form == "json" }

// printValue writes value as JSON, or else the fields of thing.
func (o *output) printValue(in invocation, value any, thing fielded) error {
	return o.print(in.stdout, value, func(w io.Writer) error { return printTable(w, nil, thing.fields()) })
}

// printJSON writes one value as indented JSON.
func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
