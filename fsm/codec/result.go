package codec

import (
	"fmt"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fields"
)

// resultVersion is the first byte of every result.
const resultVersion = 1

// AppendResult appends the encoding of r to buf.
func AppendResult(buf []byte, r fsm.Result) []byte {
	if verdict, ok := r.(*fsm.Verdict); ok {
		return seal(fsm.AppendVerdict(append(buf, resultVersion), verdict), len(buf))
	}
	v := fields.NewWriter(buf)
	framed(v, resultVersion)
	fsm.VisitResult(v, &r)
	return seal(v.Bytes(), len(buf))
}

// DecodeResult is the inverse of AppendResult. The result keeps no reference to data.
func DecodeResult(data []byte) (fsm.Result, error) { return new(Coder).DecodeResult(data) }

// DecodeResult is the function DecodeResult.
func (c *Coder) DecodeResult(data []byte) (fsm.Result, error) {
	defer c.rest()
	body, err := unseal(data)
	if err != nil {
		return nil, fmt.Errorf("decode result: %w", err)
	}
	v := c.reader(body)
	var r fsm.Result
	if framed(v, resultVersion) {
		fsm.VisitResult(v, &r)
	}
	if err := v.Finish(); err != nil {
		return nil, fmt.Errorf("decode result: %w", err)
	}
	return r, nil
}
