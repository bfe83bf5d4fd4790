package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// printTable writes rows under a header, in columns. A header of no columns is left out.
func printTable(w io.Writer, header []string, rows [][]string) error {
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(header) > 0 {
		fmt.Fprintln(columns, strings.Join(header, "\t"))
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = printable(cell)
		}
		fmt.Fprintln(columns, strings.Join(cells, "\t"))
	}
	return columns.Flush()
}

// printable quotes a text that would break a table or command the terminal: names come from tenants.
func printable(text string) string {
	for _, r := range text {
		if !strconv.IsPrint(r) {
			return strconv.Quote(text)
		}
	}
	if text == "" {
		return "-"
	}
	return text
}

// expiry writes an expiry for people; nil is none.
func expiry(at *int64) string {
	if at == nil {
		return "never"
	}
	return moment(*at)
}

// moment writes a time of the API for people, with its zone.
func moment(at int64) string { return time.UnixMilli(at).UTC().Format(time.RFC3339) }

// momentOrNever is moment for times that the API leaves out.
func momentOrNever(at int64) string {
	if at == 0 {
		return "never"
	}
	return moment(at)
}

// amount writes a number of credits, or what nil means.
func amount(n *int64, none string) string {
	if n == nil {
		return none
	}
	return strconv.FormatInt(*n, 10)
}
