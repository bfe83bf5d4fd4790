package schema

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// An item learns its own text: nothing around it, on the fast way and on the slow one.
func TestDecode_Span(t *testing.T) {
	type item struct {
		A    int64 `json:"a"`
		Text Span
	}
	type request struct {
		Items []item `json:"items"`
	}
	s := MustCompile[request]("test")
	for _, body := range []string{
		`{"items":[{"a":1},{}]}`, " { \"items\" : [ {\"a\":1} ,\n{} ] } ", `{"items":[],"items":[{"a":1},{}]}`,
	} {
		r, problem := s.Decode([]byte(body))
		require.Nil(t, problem)
		require.Len(t, r.Items, 2)
		require.Equal(t, `{"a":1}`, body[r.Items[0].Text.From:r.Items[0].Text.To])
		require.Equal(t, `{}`, body[r.Items[1].Text.From:r.Items[1].Text.To])
	}
	_, problem := s.Decode([]byte(`{"items":[{"Text":{}}]}`))
	require.NotNil(t, problem, "the field has no name")
}
