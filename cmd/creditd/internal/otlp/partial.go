package otlp

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// partial is what a collector says of a batch that it answered with 200 and did not take as it is.
type partial struct {
	rejected int64  // spans; 0: it took all, and has advice
	message  string // for people
}

// Error implements error.
func (p *partial) Error() string {
	return fmt.Sprintf("the collector rejected %d spans: %q", p.rejected, p.message)
}

// Numbers of fields in ExportTraceServiceResponse and its ExportTracePartialSuccess, whose package needs gRPC.
const (
	partialSuccess = protowire.Number(1)
	rejectedSpans  = protowire.Number(1)
	errorMessage   = protowire.Number(2)
)

// partialOf reads an ExportTraceServiceResponse. nil: the collector took all. An answer of another form says nothing, and its 200 counts.
func partialOf(answer []byte) error {
	p := &partial{}
	whole := eachField(answer, func(number protowire.Number, kind protowire.Type, value []byte) bool {
		if number != partialSuccess || kind != protowire.BytesType {
			return true
		}
		nested, n := protowire.ConsumeBytes(value)
		return n >= 0 && eachField(nested, p.read)
	})
	if !whole || p.rejected <= 0 && p.message == "" {
		return nil
	}
	return p
}

// read reads a field of ExportTracePartialSuccess.
func (p *partial) read(number protowire.Number, kind protowire.Type, value []byte) bool {
	switch {
	case number == rejectedSpans && kind == protowire.VarintType:
		count, _ := protowire.ConsumeVarint(value)
		p.rejected = int64(count)
	case number == errorMessage && kind == protowire.BytesType:
		text, _ := protowire.ConsumeBytes(value)
		p.message = string(text)
	}
	return true
}

// eachField calls read with each field of a message until it returns false. It reports whether the message was read to its end.
func eachField(message []byte, read func(protowire.Number, protowire.Type, []byte) bool) bool {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return false
		}
		message = message[n:]
		if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 || !read(number, kind, message[:n]) {
			return false
		}
		message = message[n:]
	}
	return true
}
