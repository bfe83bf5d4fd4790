// Package otlp delivers spans to an OpenTelemetry collector: OTLP with protobuf over HTTP.
//
// Whoever ends a span never waits. A bounded number of spans waits to be delivered, and further ones are dropped and counted. A batch is sent
// once: a collector that is slow or gone costs its traces and nothing else.
//
// The package sends with a client of its own, because otlptracehttp links gRPC into the binary.
package otlp
