package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// clientSettings are the options of every command that talks to a node.
type clientSettings struct {
	options

	addr        string
	rootKey     string
	rootKeyFile string
	timeout     time.Duration
	output      string
}

// declareClient adds the options for reaching a node. The command's own come before.
func (s *clientSettings) declareClient() {
	s.group("Node")
	declare(&s.options, &s.addr, "addr", "http://"+defaultHTTPAddr, "URL", "any node of the cluster, as URL or HOST:PORT", parseNodeURL)
	s.text(&s.rootKey, "root-key", "", "KEY", "a root key; the variable keeps it out of the process list")
	s.text(&s.rootKeyFile, "root-key-file", "", "FILE", "file that holds a root key")
	s.duration(&s.timeout, "timeout", 10*time.Second, time.Millisecond, "how long to wait for the answer")
}

func (s *clientSettings) declareOutput() {
	s.group("Output")
	output := s.choice(&s.output, "output", "text", []string{"text", "json"}, "form of the result")
	output.short = "o"
}

// client checks the options and returns the client that they describe.
func (s *clientSettings) client() (*client, error) {
	key := s.chooseRootKey(s.rootKey, s.rootKeyFile, 1)
	if key == "" && s.fine("root-key", "root-key-file") {
		s.refuse("root-key", "missing; name a root key with CREDITD_ROOT_KEY, --root-key-file or --root-key")
	}
	return newClient(s.addr, key, s.timeout), s.err()
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

// client calls the management API of one node.
type client struct {
	base    string
	rootKey string
	http    *http.Client
}

func newClient(base, rootKey string, timeout time.Duration) *client {
	return &client{base: base, rootKey: rootKey, http: &http.Client{
		Timeout:       timeout,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // never hand the key on
	}}
}

// answerError is an error that a node answered with.
type answerError struct {
	endpoint string
	status   int
	title    string
	detail   string
	kind     string // the last word of its type
	problems []string
	unknown  bool // it may have taken effect all the same
}

func (e *answerError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d %s: %s", e.endpoint, e.status, e.title, e.detail)
	if len(e.problems) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(e.problems, "; "))
	}
	switch {
	case e.status == http.StatusUnauthorized:
		b.WriteString("; is this a root key of this cluster? It comes from --root-key, --root-key-file or CREDITD_ROOT_KEY")
	case e.status == http.StatusServiceUnavailable:
		b.WriteString("; nothing was changed, try again later")
	case e.unknown:
		b.WriteString("; it may have taken effect: look before trying again")
	}
	return b.String()
}

// largestAnswer bounds what a client reads: the port may belong to anything.
const largestAnswer = 16 << 20

// call sends one request; the data of the answer goes into result, unless that is nil.
func (c *client) call(ctx context.Context, endpoint string, request, result any) error {
	return c.exchange(ctx, endpoint, request, result, nil)
}

// exchange is call that also tells where the next page of a list begins, unless next is nil.
func (c *client) exchange(ctx context.Context, endpoint string, request, result any, next *string) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/v2/"+endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.rootKey)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	response, err := c.http.Do(req)
	if err != nil {
		return c.unreachable(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer))
	if err != nil {
		return fmt.Errorf("the answer of %s broke off, so whether %s took effect is not known: %w", c.base, endpoint, err)
	}
	return c.decode(endpoint, response, text, result, next)
}

func (c *client) unreachable(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		if failed.Timeout() {
			return fmt.Errorf("%s did not answer within %s (--timeout)", c.base, shortDuration(c.http.Timeout))
		}
		err = failed.Err
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("nothing listens at %s; is the node running, and is this its HTTP address (--addr)?", c.base)
	}
	return fmt.Errorf("cannot reach %s (--addr): %w", c.base, err)
}

func (c *client) decode(endpoint string, response *http.Response, text []byte, result any, next *string) error {
	var envelope struct {
		Meta *struct {
			RequestID string `json:"requestId"`
		} `json:"meta"`
		Data  json.RawMessage `json:"data"`
		Pages struct {
			Cursor string `json:"cursor"`
		} `json:"pagination"`
		Error *struct {
			Title  string `json:"title"`
			Detail string `json:"detail"`
			Type   string `json:"type"`
			Errors []struct {
				Location string `json:"location"`
				Message  string `json:"message"`
			} `json:"errors"`
		} `json:"error"`
	}
	if err := json.Unmarshal(text, &envelope); err != nil || envelope.Meta == nil {
		return fmt.Errorf("%s answered %s with something creditd does not say; is this the HTTP address of a node (--addr)?", c.base, response.Status)
	}
	if envelope.Error != nil {
		failed := &answerError{
			endpoint: endpoint, status: response.StatusCode, title: envelope.Error.Title, detail: envelope.Error.Detail,
			unknown: response.Header.Get("Creditd-Outcome") == "unknown",
		}
		failed.kind = envelope.Error.Type[strings.LastIndex(envelope.Error.Type, "/")+1:]
		for _, one := range envelope.Error.Errors {
			failed.problems = append(failed.problems, strings.TrimPrefix(one.Location+": ", ": ")+one.Message)
		}
		return failed
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s without saying why", c.base, response.Status)
	}
	if next != nil {
		*next = envelope.Pages.Cursor
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(envelope.Data, result); err != nil {
		return fmt.Errorf("the answer of %s to %s cannot be read: %w", c.base, endpoint, err)
	}
	return nil
}

// printJSON writes one value as indented JSON.
func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// sortedCopy returns the items in order, each once.
func sortedCopy(items []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(items)))
}
