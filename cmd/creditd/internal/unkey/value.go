package unkey

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/api/schema"
)

// number reads an integer column, signed or not, that is not NULL.
func (d *draft) number(r row, column, shown string) int64 {
	n, err := strconv.ParseInt(r.text(column), 10, 64)
	if err != nil {
		if _, unsigned := strconv.ParseUint(r.text(column), 10, 64); unsigned == nil {
			d.lose(shown, fmt.Sprintf("%s exceeds the largest 64-bit integer, %d", r.text(column), int64(math.MaxInt64)))
		} else {
			d.lose(shown, fmt.Sprintf("%q is no integer", r.text(column)))
		}
	}
	return n
}

// millis reads a column of Unix milliseconds; 0 for NULL.
func (d *draft) millis(r row, column, shown string) records.Time {
	if !r.has(column) {
		return 0
	}
	n := d.number(r, column, shown)
	if n < 0 {
		d.lose(shown, fmt.Sprintf("%d is before 1970", n))
	}
	return records.Time(n)
}

// datetime reads a column datetime, which has no time zone and means UTC. nil for NULL.
func (d *draft) datetime(r row, column, shown string) *records.Time {
	if !r.has(column) {
		return nil
	}
	text := r.text(column)
	at, err := time.Parse("2006-01-02 15:04:05", text) // a fraction may follow
	if err != nil {
		d.lose(shown, fmt.Sprintf("%q is no time", text))
		return nil
	}
	millis := records.Time(at.UnixMilli())
	if millis < 0 {
		d.lose(shown, text+" is before 1970")
	}
	return &millis
}

// meta reads a column of JSON. Unkey takes an empty text for none.
func (d *draft) meta(r row) schema.Object {
	text := r.text("meta")
	if text == "" || text == "null" {
		return ""
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		d.lose("meta", "not JSON: "+err.Error())
		return ""
	}
	if compact.Bytes()[0] != '{' {
		d.lose("meta", "the JSON is no object")
		return ""
	}
	return schema.Object(compact.String())
}

// hash reads the hash of a key. algorithm is that of its pending migration, if it has one.
func (d *draft) hash(r row, algorithm string) records.Hash {
	text := r.text("hash")
	if algorithm == prefixedAlgorithm {
		if raw, err := hex.DecodeString(text); err != nil || len(raw) != 32 {
			d.lose("hash", "the key waits for a migration of "+prefixedAlgorithm+", and its hash is not 64 hexadecimal digits")
		}
		return records.Hash(strings.ToLower(text))
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != 32 || len(text) != base64.StdEncoding.EncodedLen(32) {
		d.lose("hash", "not the standard base64 of 32 bytes, as the SHA-256 of a key is kept")
	}
	return records.Hash(text)
}

// prefixedAlgorithm is the algorithm of migrations whose keys are known by the hash of a part.
const prefixedAlgorithm = "github.com/seamapi/prefixed-api-key"
