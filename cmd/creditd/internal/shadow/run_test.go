package shadow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func config(records io.Reader, ask func(context.Context, *Record) (Verdict, error)) Config {
	return Config{
		Records: records, Ask: ask, Concurrency: 4, MaxAccounts: 10, Samples: 2,
		Found: func(*Difference) error { return nil }, Bad: func(int64, error) error { return nil }, Judged: func(*Summary) {},
	}
}

func present(remaining int64) func(context.Context, *Record) (Verdict, error) {
	return func(context.Context, *Record) (Verdict, error) {
		return *admitted(valid, limited("key", "key_1", remaining)), nil
	}
}

// Answers come in any order, and records are judged in theirs.
func TestRun_JudgesInOrder(t *testing.T) {
	var lines strings.Builder
	for i := range 100 {
		fmt.Fprintf(&lines, `{"key":"k","valid":true,"remaining":%d}`+"\n", 99-i)
	}
	lines.WriteString("\n" + `{"key":"k","valid":true}`) // no newline at the end
	var found []*Difference
	c := config(strings.NewReader(lines.String()), present(100))
	c.Found = func(d *Difference) error { found = append(found, d); return nil }
	s, err := Run(t.Context(), c)
	require.NoError(t, err)
	require.EqualValues(t, 101, s.Records)
	require.EqualValues(t, 100, s.Agreed)
	require.EqualValues(t, 1, s.DeniedWrongly)
	require.Equal(t, map[string]int64{"VALID → USAGE_EXCEEDED": 1}, s.Codes)
	require.Len(t, found, 1)
	require.EqualValues(t, 102, found[0].Line)
	require.Equal(t, found, s.Samples)
}

func TestRun_NamesBadLines(t *testing.T) {
	bad := []string{
		`nonsense`, `{}`, `{"key":"k"}`, `{"key":"k","keyHash":"h","valid":true}`, `{"keyHash":"aGFzaA==","valid":true}`, `{"keyHash":"` + HashOf("k") + `","migrationId":"m","valid":true}`,
		`{"key":"k","valid":true,"code":"DISABLED"}`,
		`{"key":"k","valid":false,"code":"VALID"}`, `{"key":"k","valid":true,"cost":-1}`, `{"key":"k","valid":true,"remaining":-1}`,
		`{"key":"k","valid":true,"time":-1}`, `{"key":"` + strings.Repeat("x", maxLine) + `","valid":true}`,
	}
	good := `{"keyHash":"` + HashOf("k") + `","valid":true,"copy":{"any":"field"}}`
	var numbers []int64
	c := config(strings.NewReader(good+"\n"+strings.Join(bad, "\n")+"\n"+good+"\n"+`{"key":"`+strings.Repeat("y", 3*maxLine)), present(100))
	c.Bad = func(line int64, why error) error {
		numbers = append(numbers, line)
		require.NotContains(t, why.Error(), "xxxx")
		return nil
	}
	s, err := Run(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, []int64{2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15}, numbers)
	require.EqualValues(t, 2, s.Agreed)
	require.EqualValues(t, len(numbers), s.BadLines)
	require.EqualValues(t, 2, s.Records)
}

// A run that cannot ask or cannot report ends with the reason; it never counts what was not asked.
func TestRun_EndsWithTheReason(t *testing.T) {
	line := `{"key":"k","valid":false}` + "\n"
	broken := errors.New("broken")
	c := config(strings.NewReader(strings.Repeat(line, 50)), func(context.Context, *Record) (Verdict, error) { return Verdict{}, broken })
	s, err := Run(t.Context(), c)
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "line 1:")
	require.Zero(t, s.Records)

	c = config(strings.NewReader(strings.Repeat(line, 50)), present(1))
	c.Found = func(*Difference) error { return broken }
	_, err = Run(t.Context(), c)
	require.ErrorIs(t, err, broken)

	c = config(io.MultiReader(strings.NewReader(line), failingReader{broken}), present(1))
	_, err = Run(t.Context(), c)
	require.ErrorIs(t, err, broken)
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// A live run is ended from outside, and keeps what it knows.
func TestRun_EndsWhenTold(t *testing.T) {
	reader, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	c := config(reader, present(5))
	c.Judged = func(s *Summary) {
		if s.Records == 2 {
			cancel()
		}
	}
	go func() { _, _ = io.WriteString(writer, strings.Repeat(`{"key":"k","valid":true}`+"\n", 2)) }()
	s, err := Run(ctx, c)
	require.NoError(t, err)
	require.EqualValues(t, 2, s.Agreed)
}
