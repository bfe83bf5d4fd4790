package otlp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	// mostWaiting bounds the spans that wait, about 1 KB each.
	mostWaiting = 2048
	batchSize   = 512
	batchAfter  = time.Second
	sendTimeout = 10 * time.Second
)

// Config says where spans go and who makes them.
type Config struct {
	// URL gets the batches, http://HOST:PORT/v1/traces.
	URL string
	// Headers are sent with each batch. They may be secrets.
	Headers map[string]string
	// Transport sends. nil: that of net/http.
	Transport http.RoundTripper

	NodeID, NodeName, Version string
	Logger                    *slog.Logger
}

// Exporter delivers spans.
type Exporter struct {
	provider *sdk.TracerProvider
	log      *slog.Logger
	stop     context.CancelFunc

	waiting                  atomic.Int64 // spans that ended and are in no batch yet
	failing                  bool         // the last batch was not delivered; for one batch at a time, like the next two
	toldRejected, toldAdvice bool

	delivered, rejected, failed, dropped atomic.Uint64
}

// New starts an Exporter. Shutdown ends it.
func New(conf Config) (*Exporter, error) {
	described, err := resource.New(context.Background(), resource.WithAttributes(
		attribute.String("service.name", "creditd"), attribute.String("service.version", conf.Version),
		attribute.String("service.instance.id", conf.NodeID), attribute.String("creditd.node_name", conf.NodeName),
	), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	e := &Exporter{log: conf.Logger}
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	sender := otlptrace.NewUnstarted(newClient(ctx, conf))
	if err := sender.Start(ctx); err != nil {
		stop()
		return nil, err
	}
	batches := sdk.NewBatchSpanProcessor(counting{sender, e}, sdk.WithMaxQueueSize(mostWaiting), sdk.WithMaxExportBatchSize(batchSize),
		sdk.WithBatchTimeout(batchAfter), sdk.WithExportTimeout(sendTimeout))
	e.provider = sdk.NewTracerProvider(sdk.WithResource(described), sdk.WithSampler(sdk.AlwaysSample()), sdk.WithSpanProcessor(bounded{batches, e}))
	return e, nil
}

// Tracer records every span that it starts: who starts one has decided before.
func (e *Exporter) Tracer() trace.Tracer { return e.provider.Tracer("github.com/creditd/creditd") }

// Shutdown delivers what waits, until ctx ends.
func (e *Exporter) Shutdown(ctx context.Context) {
	defer e.stop()
	if err := e.provider.Shutdown(ctx); err != nil {
		e.log.Warn("the last traces were not delivered", "err", err)
	}
}

// Collector counts spans by what became of them.
func (e *Exporter) Collector() prometheus.Collector {
	return collector{e, prometheus.NewDesc("creditd_trace_spans_total",
		"Spans of traces by outcome. delivered: the collector has them. rejected: it took their batch without them. failed: it did not take their batch. dropped: too many waited.", []string{"outcome"}, nil)}
}

type collector struct {
	*Exporter
	desc *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c collector) Describe(to chan<- *prometheus.Desc) { to <- c.desc }

// Collect implements prometheus.Collector.
func (c collector) Collect(to chan<- prometheus.Metric) {
	for outcome, count := range map[string]*atomic.Uint64{"delivered": &c.delivered, "rejected": &c.rejected, "failed": &c.failed, "dropped": &c.dropped} {
		to <- prometheus.MustNewConstMetric(c.desc, prometheus.CounterValue, float64(count.Load()), outcome)
	}
}

// bounded drops and counts what the processor has no room for. The processor itself drops without a word.
type bounded struct {
	sdk.SpanProcessor
	exporter *Exporter
}

// OnEnd implements sdk.SpanProcessor.
func (b bounded) OnEnd(span sdk.ReadOnlySpan) {
	if b.exporter.waiting.Add(1) > mostWaiting {
		b.exporter.waiting.Add(-1)
		b.exporter.dropped.Add(1)
		return
	}
	b.SpanProcessor.OnEnd(span)
}

// counting counts what is delivered, and logs when deliveries begin to fail and when they succeed again.
type counting struct {
	sdk.SpanExporter
	exporter *Exporter
}

// ExportSpans implements sdk.SpanExporter. The processor never calls it twice at a time. An error ends here.
func (c counting) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	e, count := c.exporter, int64(len(spans))
	e.waiting.Add(-count)
	err := c.SpanExporter.ExportSpans(ctx, spans)
	if said := (*partial)(nil); errors.As(err, &said) {
		rejected := min(max(said.rejected, 0), count)
		e.rejected.Add(uint64(rejected))
		e.delivered.Add(uint64(count - rejected))
		e.advise(said)
		err = nil
	} else if err != nil {
		e.failed.Add(uint64(count))
	} else {
		e.delivered.Add(uint64(count))
	}
	if failing := err != nil; failing != e.failing {
		e.failing = failing
		if failing {
			e.log.Warn("traces cannot be delivered to --otlp-endpoint; requests go on", "err", err)
		} else {
			e.log.Info("traces are delivered again")
		}
	}
	return nil
}

// advise logs once that the collector rejects spans, and once that it has advice: spans that it takes may alternate with others, so neither
// ends with the next batch.
func (e *Exporter) advise(said *partial) {
	switch {
	case said.rejected > 0 && !e.toldRejected:
		e.toldRejected = true
		e.log.Warn("the collector at --otlp-endpoint rejects spans; requests go on, and further ones are only counted", "rejected", said.rejected, "says", said.message)
	case said.rejected <= 0 && !e.toldAdvice:
		e.toldAdvice = true
		e.log.Warn("the collector at --otlp-endpoint takes all spans, and warns", "says", said.message)
	}
}
