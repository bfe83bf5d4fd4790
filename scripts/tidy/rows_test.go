package tidy

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	contractRow = regexp.MustCompile(`^\| (\d+) \|`)
	// citation is how tests name rows: "row 7", "rows 7, 8 and 9".
	citation = regexp.MustCompile(`\brows? (\d+(?:(?:, | and )\d+)*)`)
	number   = regexp.MustCompile(`\d+`)
)

// TestRows_HaveTests: a case of section 5 of the contract that no test cites is a case that may stop working unseen.
func TestRows_HaveTests(t *testing.T) {
	root := moduleRoot(t)
	page, err := os.ReadFile(filepath.Join(root, "docs", "contract.md"))
	require.NoError(t, err)
	cited := map[string]string{}
	for _, dir := range []string{"api", "fsm", "fsm/*", "cmd/creditd"} {
		names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(dir), "*_test.go"))
		require.NoError(t, err)
		for _, name := range names {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, row := range citedRows(string(text)) {
				cited[row] = filepath.Base(name)
			}
		}
	}
	findings, rows := checkRows(string(page), cited)
	require.NotZero(t, rows, "docs/contract.md has no section 5 with rows")
	report(t, findings)
}

func citedRows(text string) (rows []string) {
	for _, match := range citation.FindAllStringSubmatch(text, -1) {
		rows = append(rows, number.FindAllString(match[1], -1)...)
	}
	return rows
}

// checkRows wants for every row of section 5 a test, or the reason why there can be none; and that what tests cite is there.
func checkRows(page string, cited map[string]string) (findings []string, rows int) {
	known, inside := map[string]bool{}, false
	for i, line := range strings.Split(page, "\n") {
		if strings.HasPrefix(line, "## ") {
			inside = strings.HasPrefix(line, "## 5. ")
		}
		row := contractRow.FindStringSubmatch(line)
		if !inside || row == nil {
			continue
		}
		_, reason, excused := strings.Cut(line, "not applicable: ")
		switch {
		case known[row[1]]:
			findings = append(findings, fmt.Sprintf("docs/contract.md:%d: row %s is there twice", i+1, row[1]))
		case excused && strings.Trim(reason, " |") == "":
			findings = append(findings, fmt.Sprintf("docs/contract.md:%d: row %s does not say why it is not applicable", i+1, row[1]))
		case !excused && cited[row[1]] == "":
			findings = append(findings, fmt.Sprintf("docs/contract.md:%d: no test cites row %s", i+1, row[1]))
		case excused && cited[row[1]] != "":
			findings = append(findings, fmt.Sprintf("docs/contract.md:%d: row %s is not applicable, and %s tests it", i+1, row[1], cited[row[1]]))
		}
		known[row[1]] = true
	}
	for row, where := range cited {
		if !known[row] {
			findings = append(findings, fmt.Sprintf("%s: there is no row %s in docs/contract.md", where, row))
		}
	}
	return findings, len(known)
}

func TestRows_UntestedRowIsFound(t *testing.T) {
	const head = "## 4. x\n| 9 | a | b |\n## 5. Cases\n| # | case | answer |\n|---|---|---|\n"
	cited := map[string]string{"1": "a_test.go"}
	for page, want := range map[string]int{
		"| 1 | a | b |\n":                                      0,
		"| 1 | a | b |\n| 2 | a | b |\n":                       1,
		"| 1 | a | b |\n| 2 | a | not applicable: no such |\n": 0,
		"| 1 | a | b |\n| 2 | a | not applicable:  |\n":        1,
		"| 1 | a | b |\n| 1 | a | b |\n":                       1,
		"| 1 | a | not applicable: no such |\n":                1,
		"| 2 | a | b |\n":                                      2,
		"| 1 | a | b |\n## 6. y\n| 2 | a | b |\n":              0,
	} {
		findings, _ := checkRows(head+page, cited)
		require.Len(t, findings, want, page)
	}
	require.Equal(t, []string{"7", "8", "9", "12"}, citedRows(`// row 7, and rows 8, 9 and 12. Row 3, arrow 4.`))
}
