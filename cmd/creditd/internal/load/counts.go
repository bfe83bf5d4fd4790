package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"os"
	"strconv"
)

const (
	codeValid    = "VALID"
	codeExceeded = "USAGE_EXCEEDED"
)

var (
	wholeValid    = []byte(`"valid":true,"code":"VALID"`)
	wholeExceeded = []byte(`"valid":false,"code":"USAGE_EXCEEDED"`)

	validTrue  = []byte(`"valid":true`)
	validFalse = []byte(`"valid":false`)
	codeField  = []byte(`"code":"`)
)

// tally counts what one connection saw. Keys of errors are statuses ("503") or one of the words below.
type tally struct {
	codes  map[string]uint64
	errors map[string]uint64
}

func newTally() tally {
	return tally{codes: map[string]uint64{}, errors: map[string]uint64{}}
}

func (t tally) add(other tally) {
	for code, n := range other.codes {
		t.codes[code] += n
	}
	for kind, n := range other.errors {
		t.errors[kind] += n
	}
}

// count files one answer and reports whether it is what a verification of a live key may be answered with.
func (t tally) count(got answer) bool {
	if got.status != 200 {
		t.errors[strconv.Itoa(got.status)]++
		return false
	}
	valid, code := verdict(got.body)
	switch {
	case valid && code == codeValid, !valid && code == codeExceeded:
		t.codes[code]++
		return true
	case !valid && code != "" && code != codeValid:
		t.codes[code]++ // an honest verdict, and still not one that keys made for this run can get
		t.errors["unexpected code"]++
	default:
		t.errors["malformed body"]++
	}
	return false
}

// countBatch is count for an answer of keys.verifyKeys, which holds that many verifications.
func (t tally) countBatch(got answer, batch int) bool {
	if got.status != 200 {
		t.errors[strconv.Itoa(got.status)]++
		return false
	}
	valid, exceeded := bytes.Count(got.body, wholeValid), bytes.Count(got.body, wholeExceeded)
	if valid+exceeded != batch {
		t.errors["malformed body"]++
		return false
	}
	if valid > 0 {
		t.codes[codeValid] += uint64(valid)
	}
	if exceeded > 0 {
		t.codes[codeExceeded] += uint64(exceeded)
	}
	return true
}

func (t tally) countFailure(err error) {
	var timeout net.Error
	switch {
	case errors.Is(err, errMalformed), errors.Is(err, errTooLarge):
		t.errors["malformed answer"]++
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		t.errors["timeout"]++
	default:
		t.errors["connection"]++
	}
}

// verdict finds `valid` and `code`. The keys of a run have no name and no meta, so the first match is the field. An answer in another
// spelling is decoded as JSON.
func verdict(body []byte) (valid bool, code string) {
	valid = bytes.Contains(body, validTrue)
	if _, rest, found := bytes.Cut(body, codeField); found && (valid || bytes.Contains(body, validFalse)) {
		if text, _, closed := bytes.Cut(rest, []byte(`"`)); closed {
			return valid, internCode(text)
		}
	}
	var decoded struct {
		Data struct {
			Valid bool   `json:"valid"`
			Code  string `json:"code"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &decoded) != nil {
		return false, ""
	}
	return decoded.Data.Valid, decoded.Data.Code
}

// internCode saves an allocation per request for the two codes of a healthy run.
func internCode(text []byte) string {
	switch string(text) {
	case codeValid:
		return codeValid
	case codeExceeded:
		return codeExceeded
	}
	return string(text)
}
