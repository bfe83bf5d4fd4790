package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Outcome says whether a request was executed.
type Outcome int

const (
	// Executed requests were answered with 200.
	Executed Outcome = iota
	// Refused requests were answered with an error that a repetition would not change, or with something that cannot be used.
	Refused
	// NotExecuted requests were not sent, or the node says that it executed nothing (429, 503, 408). A repetition may help.
	NotExecuted
	// Unknown requests may have been executed, or may still be.
	Unknown
)

func (o Outcome) String() string {
	return [...]string{"executed", "refused", "not executed", "unknown"}[o]
}

// Answer is the result of one call.
type Answer struct {
	Outcome  Outcome
	Status   int    // 0 without an answer
	Index    uint64 // Creditd-Index, 0 when absent
	Replayed bool   // the answer of an earlier request with the same Idempotency-Key
	Closed   bool   // the node ends the connection with this answer
	Cursor   string // where the next page of a list begins; empty on the last
	Err      error  // nil only if the outcome is Executed
}

// Error is an error that a node answered with.
type Error struct {
	Endpoint string
	Status   int
	Title    string
	Detail   string
	Type     string
	Problems []string
	Outcome  Outcome

	RetryAfter time.Duration // that the node asked for; 0: none
	Index      uint64        // Creditd-Index, 0 when absent; both only of Stream
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %d %s: %s", e.Endpoint, e.Status, e.Title, e.Detail)
	if len(e.Problems) > 0 {
		text += " (" + strings.Join(e.Problems, "; ") + ")"
	}
	return text
}

// Kind is the last word of the error's type.
func (e *Error) Kind() string { return e.Type[strings.LastIndex(e.Type, "/")+1:] }

// answerOf reads the status and the headers.
func answerOf(response *http.Response) Answer {
	answer := Answer{Status: response.StatusCode, Closed: response.Close, Outcome: outcomeOf(response)}
	answer.Index, _ = strconv.ParseUint(response.Header.Get("Creditd-Index"), 10, 64)
	answer.Replayed = response.Header.Get("Idempotency-Replayed") == "true"
	return answer
}

// outcomeOf is the contract's statement about each status.
func outcomeOf(response *http.Response) Outcome {
	switch response.StatusCode {
	case http.StatusOK:
		return Executed
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return NotExecuted
	case http.StatusRequestTimeout:
		if response.Header.Get("Creditd-Outcome") == "unknown" {
			return Unknown
		}
		return NotExecuted
	}
	return Refused
}

// envelope is the form of every answer of the API.
type envelope struct {
	Meta *struct {
		RequestID string `json:"requestId"`
	} `json:"meta"`
	Data       json.RawMessage `json:"data"`
	Pagination struct {
		Cursor string `json:"cursor"`
	} `json:"pagination"`
	Error *struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
		Type   string `json:"type"`
		Errors []struct {
			Location string `json:"location"`
			Message  string `json:"message"`
		} `json:"errors"`
	} `json:"error"`
}

// read decodes the body of an answer.
func (a *Answer) read(node, endpoint string, text []byte, result any) {
	var got envelope
	if err := json.Unmarshal(text, &got); err != nil || got.Meta == nil {
		a.spoil(fmt.Errorf("%s: %s answers %d: %w", endpoint, node, a.Status, ErrForeign))
		return
	}
	a.Cursor = got.Pagination.Cursor
	if got.Error != nil || a.Status != http.StatusOK {
		failed := &Error{Endpoint: endpoint, Status: a.Status, Title: http.StatusText(a.Status), Outcome: a.Outcome}
		if wrong := got.Error; wrong != nil {
			failed.Title, failed.Detail, failed.Type = wrong.Title, wrong.Detail, wrong.Type
			for _, one := range wrong.Errors {
				failed.Problems = append(failed.Problems, strings.TrimPrefix(one.Location+": ", ": ")+one.Message)
			}
		}
		a.spoil(failed)
		return
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(got.Data, result); err != nil {
		a.spoil(fmt.Errorf("%s: the answer of %s cannot be read: %w", endpoint, node, err))
	}
}

// spoil keeps err. An answer that cannot be used is never an executed one.
func (a *Answer) spoil(err error) {
	a.Err = err
	if a.Outcome == Executed {
		a.Outcome = Refused
	}
}
