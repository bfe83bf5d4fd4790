package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/creditd/creditd/cmd/creditd/internal/settings"
	"github.com/creditd/creditd/fsm"
)

// list is a command that shows a list of T, page by page.
type list[T any] struct {
	reporter
	limit    int64
	endpoint string
	header   []string
	row      func(T) []string
	hides    fsm.RootPermission // without it the endpoint answers as if there were nothing; empty: there is none
	// filters declares the settings of the command; ask adds them to the request. Either may be nil.
	filters func(*settings.Set)
	ask     func(in invocation, s *settings.Set, request map[string]any)

	request map[string]any
}

// pageSize is how many items one request asks for: the most that there can be.
const pageSize = 100

func (l *list[T]) bind(s *settings.Set) {
	if l.filters != nil {
		s.Group("Which ones")
		l.filters(s)
	}
	settings.Number(s, &l.limit, "limit", 0, 1<<40, "how many to show; 0: all")
	l.reporter.bind(s)
}

func (l *list[T]) check(in invocation, s *settings.Set) {
	l.request = map[string]any{}
	if l.ask != nil {
		l.ask(in, s, l.request)
	}
	l.reporter.check(in, s)
}

func (l *list[T]) run(in invocation) error {
	printer := &listPrinter[T]{w: in.stdout, asJSON: l.inJSON(), header: l.header, row: l.row}
	for {
		want := int64(pageSize)
		if l.limit > 0 {
			want = min(want, l.limit-printer.shown)
		}
		l.request["limit"] = want
		var page []json.RawMessage
		next, err := l.page(l.endpoint, l.request, &page)
		if notFound(err) && l.hides != "" {
			return l.hidden(l.hides, in.stderr, err)
		}
		if err != nil {
			return err
		}
		if err := printer.print(page); err != nil {
			return err
		}
		switch {
		case next == "":
			return printer.end()
		case l.limit > 0 && printer.shown >= l.limit:
			if err := printer.end(); err != nil {
				return err
			}
			_, err := fmt.Fprintln(in.stderr, "There are more: --limit N shows more, and --limit 0 shows all.")
			return err
		}
		l.request["cursor"] = next
	}
}

// bindSearch and addSearch are the filter of the lists that search for a text.
func bindSearch(s *settings.Set, into *string, in string) {
	s.Text(into, "search", "TEXT", "only those with this text in "+in+", in any letter case")
}

func addSearch(request map[string]any, search string) {
	if search != "" {
		request["search"] = search
	}
}

// listPrinter writes a list as its pages come, so that its length costs no memory.
type listPrinter[T any] struct {
	w      io.Writer
	asJSON bool
	header []string
	row    func(T) []string
	shown  int64
	begun  bool
}

func (p *listPrinter[T]) print(page []json.RawMessage) error {
	p.shown += int64(len(page))
	if p.asJSON {
		return p.printJSON(page)
	}
	rows := make([][]string, len(page))
	for i, text := range page {
		var item T
		if err := json.Unmarshal(text, &item); err != nil {
			return fmt.Errorf("an item of the answer cannot be read: %w", err)
		}
		rows[i] = p.row(item)
	}
	if p.begun && len(rows) == 0 {
		return nil
	}
	header := p.header
	if p.begun {
		header = nil
	}
	p.begun = true
	return printTable(p.w, header, rows)
}

func (p *listPrinter[T]) printJSON(page []json.RawMessage) error {
	var b bytes.Buffer
	for _, text := range page {
		b.WriteString(map[bool]string{false: "[\n  ", true: ",\n  "}[p.begun])
		p.begun = true
		if err := json.Indent(&b, text, "  ", "  "); err != nil {
			return err
		}
	}
	_, err := p.w.Write(b.Bytes())
	return err
}

// end closes the list.
func (p *listPrinter[T]) end() error {
	if !p.asJSON {
		return nil
	}
	_, err := io.WriteString(p.w, map[bool]string{false: "[]\n", true: "\n]\n"}[p.begun])
	return err
}
