package shadow

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/records"
)

// Record is one verification and what another system answered. Recordings are lines of JSON.
type Record struct {
	Time int64 `json:"time,omitempty"` // Unix ms; 0: unknown
	// Key is the full key. KeyHash stands for it: see mint.ParseHash.
	Key         string          `json:"key,omitempty"`
	KeyHash     string          `json:"keyHash,omitempty"`
	Cost        *int64          `json:"cost,omitempty"` // nil: 1
	Permissions string          `json:"permissions,omitempty"`
	Ratelimits  json.RawMessage `json:"ratelimits,omitempty"`
	MigrationID string          `json:"migrationId,omitempty"`

	Valid     *bool  `json:"valid"`
	Code      string `json:"code,omitempty"`      // empty: unknown
	Remaining *int64 `json:"remaining,omitempty"` // credits after the verification; nil: unknown, or unlimited
}

// maxCost is the contract's.
const maxCost = 1_000_000_000_000

func (r *Record) check() error {
	switch {
	case (r.Key == "") == (r.KeyHash == ""):
		return errors.New("exactly one of key and keyHash must be given")
	case r.KeyHash != "" && !isHash(r.KeyHash):
		return errors.New("keyHash is not a SHA-256 in standard base64 or in hexadecimal")
	case r.KeyHash != "" && r.MigrationID != "":
		return errors.New("migrationId needs key: a keyHash finds a migrated key without it")
	case r.Valid == nil:
		return errors.New("valid is missing: what did the other system answer?")
	case *r.Valid && r.Code != "" && r.Code != valid:
		return fmt.Errorf("valid is true, and code is %q", r.Code)
	case !*r.Valid && r.Code == valid:
		return errors.New("valid is false, and code is VALID")
	case r.cost() < 0 || r.cost() > maxCost:
		return fmt.Errorf("cost is %d; it must be from 0 to %d", r.cost(), int64(maxCost))
	case r.Remaining != nil && *r.Remaining < 0:
		return fmt.Errorf("remaining is %d; a balance is not negative", *r.Remaining)
	case r.Time < 0:
		return fmt.Errorf("time is %d; it must be in Unix milliseconds", r.Time)
	}
	return nil
}

func (r *Record) cost() int64 {
	if r.Cost == nil {
		return 1
	}
	return *r.Cost
}

// hash names the key without showing it.
func (r *Record) hash() string {
	if r.Key == "" {
		return r.KeyHash
	}
	return HashOf(r.Key)
}

// HashOf is the hash by which recordings name a key.
func HashOf(key string) string {
	hash := mint.Hash(key)
	return base64.StdEncoding.EncodeToString(hash[:])
}

func isHash(text string) bool {
	algorithm, _ := mint.ParseHash(text)
	return algorithm != 0
}

// maxLine bounds a line. The largest verification that the contract allows has less.
const maxLine = 256 << 10

// reader reads records line by line.
type reader struct {
	lines  *bufio.Reader
	number int64
}

// newReader drops a byte order mark, which some programs write before the first line.
func newReader(r io.Reader) (*reader, error) {
	lines := bufio.NewReaderSize(r, maxLine)
	begin, _ := lines.Peek(4) // an error comes again with the first line
	if bytes.HasPrefix(begin, []byte(records.ByteOrderMark)) {
		_, _ = lines.Discard(len(records.ByteOrderMark))
	}
	return &reader{lines: lines}, records.ForeignForm(begin)
}

// next returns the next record. bad says what is wrong with a line; the one after it can be read. err ends the file.
func (r *reader) next() (record Record, bad, err error) {
	for {
		r.number++
		line, err := r.lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return record, fmt.Errorf("longer than %d bytes", maxLine), r.skip()
		}
		if text := bytes.TrimSpace(line); len(text) > 0 {
			if bad = json.Unmarshal(text, &record); bad == nil {
				bad = record.check()
			}
			return record, bad, nil // an error comes again with the next line
		}
		if err != nil {
			return record, nil, err
		}
	}
}

// skip reads the rest of a line.
func (r *reader) skip() error {
	for {
		_, err := r.lines.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil // again with the next line
		default:
			return err
		}
	}
}
