package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/creditd/creditd/cmd/creditd/internal/shadow"
)

// printSummary writes the counts, the pairs of codes that differ, and some of the differences.
func printSummary(w io.Writer, s *shadow.Summary) error {
	var rows [][]string
	for _, row := range []struct {
		what string
		n    int64
	}{
		{"records", s.Records}, {"agreed", s.Agreed}, {"denied wrongly", s.DeniedWrongly}, {"admitted wrongly", s.AdmittedWrongly},
		{"other code", s.OtherCode}, {"other balance", s.OtherBalance}, {"rate limited, not compared", s.RateLimited},
		{"without history", s.Untracked}, {"bad lines", s.BadLines},
	} {
		rows = append(rows, []string{row.what, strconv.FormatInt(row.n, 10)})
	}
	if err := printTable(w, nil, rows); err != nil {
		return err
	}
	if len(s.Codes) > 0 {
		rows = nil
		for _, pair := range slices.Sorted(maps.Keys(s.Codes)) {
			other, ours, _ := strings.Cut(pair, shadow.CodeArrow)
			rows = append(rows, []string{other, ours, strconv.FormatInt(s.Codes[pair], 10)})
		}
		fmt.Fprintln(w)
		if err := printTable(w, []string{"OTHER SYSTEM", "CREDITD", "RECORDS"}, rows); err != nil {
			return err
		}
	}
	if len(s.Samples) == 0 {
		return nil
	}
	rows = nil
	for _, d := range slices.SortedStableFunc(slices.Values(s.Samples), func(a, b *shadow.Difference) int { return cmp.Compare(a.Kind, b.Kind) }) {
		rows = append(rows, []string{
			strconv.FormatInt(d.Line, 10), string(d.Kind), cmp.Or(d.KeyID, d.KeyHash), strconv.FormatInt(d.Cost, 10),
			d.Other.Code, amount(d.Other.Remaining, ""), d.Creditd.Code, amount(d.Creditd.Remaining, ""),
		})
	}
	fmt.Fprintln(w)
	return printTable(w, []string{"LINE", "KIND", "KEY", "COST", "OTHER", "LEFT", "CREDITD", "LEFT"}, rows)
}
