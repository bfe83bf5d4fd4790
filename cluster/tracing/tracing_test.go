package tracing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

var parent = trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})

func recording(t *testing.T) (*Tracer, *tracetest.SpanRecorder) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	return New(sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)).Tracer("test")), recorder
}

func TestNew_IsOffWithoutATracer(t *testing.T) { require.Nil(t, New(nil)) }

// The stages follow one another without a gap.
func TestStages_FollowOneAnother(t *testing.T) {
	tracer, recorder := recording(t)
	began := time.Now()
	tracer.Proposing()
	tracer.Stored(time.Now())
	tracer.Applied(7, 0)
	tracer.Stages(parent, began, 7)
	ended := recorder.Ended()
	require.Len(t, ended, 3)
	at := began
	for i, name := range []string{"queue", "replicate", "apply"} {
		require.Equal(t, name, ended[i].Name())
		require.Equal(t, parent, ended[i].Parent())
		require.True(t, ended[i].StartTime().Equal(at))
		at = ended[i].EndTime()
	}
}

// An answer that was remembered, an entry of long ago and an entry of another leader have no stages.
func TestStages_AreNotInvented(t *testing.T) {
	tracer, recorder := recording(t)
	began := time.Now()
	tracer.Applied(1, 0) // as a follower
	tracer.Stages(parent, began, 1)
	tracer.Proposing()
	tracer.Applied(2, 0)
	tracer.Stages(parent, began, 2+remembered)
	tracer.Stages(parent, time.Now().Add(time.Second), 2)
	for i := range uint64(remembered) {
		tracer.Proposing()
		tracer.Applied(3+i, 0)
	}
	tracer.Stages(parent, began, 2)
	require.Empty(t, recorder.Ended())
	tracer.Stages(parent, began, 3)
	require.Len(t, recorder.Ended(), 3)
}
