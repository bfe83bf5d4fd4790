package schema_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/schema"
)

// A schema decodes into memory that an earlier request had. What one request says is neither in another one, nor changed by it.
func TestDecode_KeepsRequestsApart(t *testing.T) {
	type request struct {
		Key   string                  `json:"key" schema:"required,minLength=1"`
		Cost  int64                   `json:"cost" schema:"default=1"`
		Fixed bool                    `json:"fixed"`
		Tags  []string                `json:"tags" schema:"maxItems=9"`
		Query schema.Optional[string] `json:"query"`
		Name  schema.Nullable[string] `json:"name"`
		Meta  schema.Object           `json:"meta"`
		Limit *struct {
			Name string `json:"name" schema:"required"`
			Cost int64  `json:"cost"`
		} `json:"limit"`
	}
	const (
		full    = `{"key":"a","cost":7,"fixed":true,"tags":["b","c"],"query":"d","name":"e","meta":{"f":1},"limit":{"name":"g","cost":8}}`
		other   = `{"key":"A","cost":9,"tags":["B"],"query":"D","name":null,"meta":{},"limit":{"name":"G"}}`
		minimal = `{"key":"x"}`
	)
	bodies := []string{
		full, minimal, other, full[:len(full)-1], minimal, full, `{"cost":5,"fixed":true,"tags":["b"],"query":"d"}`, minimal,
		`{"key":"y","cost":5.0,"fixed":true}`, `{"key":"z","key":"y"}`, minimal, other, full, minimal,
	}
	again := schema.MustCompile[request]("again")
	var got, want []request
	for range 3 {
		for _, body := range bodies {
			g, _ := again.Decode([]byte(body))
			w, _ := schema.MustCompile[request]("once").Decode([]byte(body))
			got, want = append(got, g), append(want, w)
		}
	}
	require.Equal(t, want, got)
	require.Equal(t, request{Key: "x", Cost: 1}, got[1])
}

// A free object costs its text once: what it was compacted in serves the next request.
func TestDecode_AllocatesTheTextOfAnObjectOnce(t *testing.T) {
	body := []byte(`{"apiId":"api_1","meta":{"text":"` + strings.Repeat("x", 60<<10) + `"}}`)
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, bad := createKey.Decode(body)
			require.Nil(b, bad)
		}
	})
	require.Less(t, result.AllocedBytesPerOp(), int64(len(body)*3/2))
}
