package propose

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"github.com/creditd/creditd/fsm"
)

func TestTraced_RoundTrip(t *testing.T) {
	sent := traced{
		span:      trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1, 15: 2}, SpanID: trace.SpanID{3, 7: 4}, TraceFlags: trace.FlagsSampled, Remote: true}),
		forwarded: forwarded{call: fsm.Call{Actor: fsm.Hash{9}, Command: &fsm.DeleteKey{KeyID: "key_1"}}, retransmission: true},
	}
	data := appendTraced(nil, sent)
	got, err := decodeTraced(data)
	require.NoError(t, err)
	require.Equal(t, len(data)-spanBytes-1, got.size)
	got.size = 0
	require.Equal(t, sent, got)
}

func TestTraced_RefusesWhatNamesNoSpan(t *testing.T) {
	_, err := decodeTraced(make([]byte, spanBytes-1))
	require.ErrorContains(t, err, "cut short")
	_, err = decodeTraced(make([]byte, spanBytes+10))
	require.ErrorContains(t, err, "zero")
}
