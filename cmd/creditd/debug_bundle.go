package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

var _ = register(registration{use: "debug", short: "collect what explains how a node behaves"})

var _ = register(registration{group: "debug", use: "bundle [FILE]", short: "write status, metrics, logs, settings and profiles of a node into one archive",
	long: `Writes an archive (tar.gz) with the status of the cluster, and of one node its metrics, the last
lines of its log, its settings without secrets, and profiles of CPU, heap and goroutines. Without
FILE it is called creditd-debug-TIME.tar.gz. Only its owner can read it: it names addresses and
nodes.

--admin is the --admin-addr of the node. What cannot be had is named in errors.txt inside of the
archive. The exit code is 1 if nothing could be had; then there is no archive.`,
	make: func() command { return &debugBundle{} }})

type debugBundle struct {
	operator
	admin string
	cpu   time.Duration
	http  *http.Client // for the admin address
}

const (
	// mostProfiled leaves time to answer within adminWriteTimeout.
	mostProfiled = 60 * time.Second
	// mostFetched bounds each file of an archive.
	mostFetched = 64 << 20
)

func (c *debugBundle) bind(s *settings.Set) {
	c.cpu = 5 * time.Second
	s.Group("Bundle")
	settings.Value(s, &c.admin, "admin", "URL", "--admin-addr of the node, as URL or HOST:PORT: metrics, logs, settings and profiles come from there", parseNodeURL)
	s.Duration(&c.cpu, "cpu", time.Second, "how long to profile the CPU, at most 60s")
	c.operator.bind(s)
}

func (c *debugBundle) check(in invocation, s *settings.Set) {
	c.operator.check(in, s)
	if c.cpu > mostProfiled && s.Fine("cpu") {
		s.Refuse("cpu", "%s is too long; at most %s", settings.Short(c.cpu), settings.Short(mostProfiled))
	}
	if c.admin != "" && !strings.Contains(c.admin, "://") {
		c.admin = map[bool]string{true: "https://", false: "http://"}[c.tls.wanted()] + c.admin
	}
	if s.Err() == nil {
		c.http = &http.Client{Transport: &http.Transport{TLSClientConfig: c.tls.check(s), Proxy: http.ProxyFromEnvironment}}
	}
}

// adminPage is a page of the admin address and the file that it becomes.
type adminPage struct {
	file, path string
	lasts      time.Duration // beside the ordinary time for an answer
}

func (c *debugBundle) pages() []adminPage {
	return []adminPage{
		{file: "metrics-before.txt", path: "/metrics"},
		{file: "logs.txt", path: "/debug/logs"},
		{file: "settings.yaml", path: "/debug/settings"},
		{file: "goroutines.txt", path: "/debug/pprof/goroutine?debug=1"},
		{file: "heap.pprof", path: "/debug/pprof/heap"},
		{file: "cpu.pprof", path: fmt.Sprintf("/debug/pprof/profile?seconds=%d", int(c.cpu.Round(time.Second).Seconds())), lasts: c.cpu},
		{file: "metrics-after.txt", path: "/metrics"}, // with those before: rates
	}
}

func (c *debugBundle) run(in invocation) (err error) {
	b := &bundle{made: in.now}
	c.addStatus(b)
	for _, page := range c.pages() {
		if c.admin == "" {
			b.failed(page.file, errors.New("no --admin was given"))
			continue
		}
		content, err := c.fetch(page)
		b.add(page.file, content, err)
	}
	if len(b.files) == 0 {
		return fmt.Errorf("nothing could be had, so there is no archive\n%s", strings.TrimSuffix(b.errors.String(), "\n"))
	}
	name := "creditd-debug-" + in.now.UTC().Format("20060102T150405Z") + ".tar.gz"
	if len(in.args) > 0 {
		name = in.args[0]
	}
	if err := b.write(name); err != nil {
		return err
	}
	if b.errors.Len() > 0 {
		fmt.Fprintf(in.stderr, "Some things could not be had; errors.txt in the archive says so:\n%s", b.errors.String())
	}
	_, err = fmt.Fprintln(in.stdout, name)
	return err
}

// addStatus asks the first node of --addr that answers.
func (c *debugBundle) addStatus(b *bundle) {
	asked, err := c.status()
	if err != nil {
		b.failed("status.json", err)
		b.failed("status.txt", err)
		return
	}
	var text bytes.Buffer
	err = printStatus(&text, asked, time.Now())
	b.add("status.txt", text.Bytes(), err)
	asJSON, err := json.MarshalIndent(asked, "", "  ")
	b.add("status.json", asJSON, err)
}

// fetch gets one page of the admin address.
func (c *debugBundle) fetch(page adminPage) (content []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout+page.lasts)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.admin+page.path, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	content, err = io.ReadAll(io.LimitReader(response.Body, mostFetched+1))
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode != http.StatusOK:
		says, _, _ := strings.Cut(string(content), "\n")
		return nil, fmt.Errorf("GET %s%s: %s: %s", c.admin, page.path, response.Status, cmp.Or(says, "no more was said"))
	case len(content) > mostFetched:
		return nil, fmt.Errorf("GET %s%s: more than %d bytes", c.admin, page.path, mostFetched)
	}
	return content, nil
}
