package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/creditd/creditd/fsm"
)

// Values of headers, shared by all answers: nothing may change them.
var (
	contentJSON    = []string{"application/json"}
	contentProblem = []string{"application/problem+json"}
	unknownOutcome = []string{"unknown"}
	retryAfter     = []string{"1"}
	replayedTrue   = []string{"true"}
)

// appender is data that encodes itself, for answers that are given very often. Other data is encoded by package encoding/json.
type appender interface {
	appendJSON(b []byte) []byte
}

// none is the data of an answer that has nothing to tell.
type none struct{}

func (none) appendJSON(b []byte) []byte { return append(b, "{}"...) }

// done shows that something was executed.
func done(*fsm.Done) none { return none{} }

// appendEnvelope begins an answer; the caller appends the rest and closes it.
func (c *call) appendEnvelope(b []byte) []byte {
	b = append(b, `{"meta":{"requestId":"`...)
	b = append(b, c.id[:]...)
	return append(b, `"}`...)
}

// succeed sends an answer: in the success envelope of docs/contract.md 1.4, if it is data or a page.
func (c *call) succeed(answer any) {
	if c.replayed {
		c.gin.Writer.Header()[headerReplayed] = replayedTrue
	}
	if c.endpoint.media != "" {
		c.succeedBare(answer)
		return
	}
	c.takeTurnToAnswer()
	var err error
	c.out, err = c.appendAnswer(c.appendEnvelope(c.out[:0]), answer)
	c.pauseTurn()
	if err != nil {
		c.fail(c.problemOf(err))
		return
	}
	c.api.answerSizes.learn(c.endpoint, c.actor, int64(len(c.out)), c.items)
	c.send(http.StatusOK, contentJSON, c.out)
}

// appendAnswer appends what follows in the envelope of an answer, unless there is no room for it.
func (c *call) appendAnswer(b []byte, answer any) (_ []byte, err error) {
	if !c.endpoint.metaOnly {
		b = append(b, `,"data":`...)
		if c.endpoint.paged {
			b, err = answer.(pager).appendPage(b, c.holdAnswer)
		} else {
			b = appendData(b, answer)
			err = c.holdAnswer(len(b))
		}
	}
	return append(b, '}'), err
}

// appendData encodes data. What cannot be encoded is a defect.
func appendData(b []byte, data any) []byte {
	switch data := data.(type) {
	case appender:
		return data.appendJSON(b)
	case metaHolder:
		return appendHolder(b, data)
	}
	return encodeData(b, data)
}

func encodeData(b []byte, data any) []byte {
	buffer := bytes.NewBuffer(b)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(data); err != nil {
		panic("api: data that has no JSON form: " + err.Error())
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte{'\n'})
}

// fail sends a problem in the error envelope, docs/contract.md 1.5.
func (c *call) fail(p *problem) {
	c.pauseTurn()
	c.code = p.path
	c.logRefusal(p)
	if p.status == http.StatusUnauthorized {
		c.api.failures.note(c.gin.Request.RemoteAddr, time.Now())
	}
	header := c.gin.Writer.Header()
	switch p.status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		header["Retry-After"] = retryAfter
		if p.retryAfter > 0 {
			header["Retry-After"] = []string{strconv.FormatInt(p.retryAfter, 10)}
		}
	}
	if c.unread && c.gin.Request.ProtoMajor < 2 { // HTTP/2 ends the stream by itself
		header["Connection"] = []string{"close"} // rather than receive the rest of the body
	}
	if p.unknown {
		header[headerOutcome] = unknownOutcome
	}
	b := c.appendEnvelope(c.out[:0])
	b = append(b, `,"error":`...)
	c.out = append(p.appendJSON(b), '}')
	if len(c.out) > freeAnswerBytes {
		c.answer.owe(c.api.answers, c.actor, int64(len(c.out)))
	}
	c.send(p.status, c.problemType(p), c.out)
}

// appendJSON appends the error object of docs/contract.md 1.5.
func (p *problem) appendJSON(b []byte) []byte {
	b = append(b, `{"title":`...)
	b = appendString(b, p.title)
	b = append(b, `,"detail":`...)
	b = appendString(b, p.text())
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(p.status), 10)
	b = append(b, `,"type":"`+errorBase...)
	b = append(b, p.path...)
	b = append(b, '"')
	if p.listsErrors() {
		b = append(b, `,"errors":`...)
		if len(p.violations) == 0 {
			b = append(b, "[]"...)
		} else {
			b = appendData(b, p.violations)
		}
	}
	return append(b, '}')
}

// problemType is the content type of an error: the table of docs/contract.md 1.5, first row that applies.
func (c *call) problemType(p *problem) []string {
	switch {
	case p.status == http.StatusTooManyRequests || c.endpoint.metaOnly:
		return contentProblem
	case p.validation:
		return contentJSON
	case acceptsProblem(c.gin.Request.Header["Accept"]):
		return contentProblem
	}
	return contentJSON
}

// acceptsProblem reports whether an Accept header lists a range that problem+json is in.
func acceptsProblem(accept []string) bool {
	for _, value := range accept {
		for item := range strings.SplitSeq(value, ",") {
			media, _, _ := strings.Cut(item, ";")
			switch strings.ToLower(strings.TrimSpace(media)) {
			case "application/problem+json", "application/*", "*/*":
				return true
			}
		}
	}
	return false
}

// maxUnannounced is the size up to which net/http announces the length of an answer by itself, more cheaply.
const maxUnannounced = 2048

// send sends a whole answer.
func (c *call) send(status int, contentType []string, body []byte) {
	if len(body) > maxUnannounced || c.gin.Request.ProtoMajor >= 2 { // HTTP/2 cannot announce what is flushed
		c.gin.Writer.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	c.begin(status, contentType)
	c.deliver(body)
}

// begin sends the header of an answer.
func (c *call) begin(status int, contentType []string) {
	header := c.gin.Writer.Header()
	header["Content-Type"] = contentType
	if c.index > 0 {
		header[headerIndex] = []string{strconv.FormatUint(c.index, 10)}
	}
	c.gin.Writer.WriteHeader(status)
}
