package records

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/creditd/creditd/api/schema"
)

var (
	headerSchema = schema.MustCompile[headerLine]("the header")
	endSchema    = schema.MustCompile[endLine]("the end")
	recordSchema = schema.MustCompile[Record]("a record")
)

type headerLine struct {
	Header Header `json:"header" schema:"required"`
}

type endLine struct {
	End End `json:"end" schema:"required"`
}

// Kind names the kind of a record by its property, as in "key"; "" if it has none or several.
func (r *Record) Kind() string {
	kind := ""
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Pointer && !f.IsNil() {
			if kind != "" {
				return ""
			}
			kind, _, _ = strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		}
	}
	return kind
}

// ID returns the id of what a record is about.
func (r *Record) ID() string {
	switch {
	case r.Workspace != nil:
		return string(r.Workspace.ID)
	case r.RootKey != nil:
		return string(r.RootKey.ID)
	case r.API != nil:
		return string(r.API.ID)
	case r.Migration != nil:
		return r.Migration.ID
	case r.Permission != nil:
		return string(r.Permission.ID)
	case r.Role != nil:
		return string(r.Role.ID)
	case r.Identity != nil:
		return string(r.Identity.ID)
	case r.Key != nil:
		return string(r.Key.ID)
	case r.Namespace != nil:
		return string(r.Namespace.ID)
	case r.Override != nil:
		return string(r.Override.ID)
	case r.Balance != nil:
		return string(r.Balance.KeyID + r.Balance.IdentityID)
	}
	return ""
}

// Sizes that count bytes: see docs/contract.md 1.10.
const (
	maxKeyMeta      = 64 << 10
	maxIdentityMeta = 1 << 20
)

// Check returns why no ledger takes a record; nil: one may. It says what the JSON Schema cannot. A record that was made in Go must pass
// Validate.
func (r *Record) Check() error {
	if r.Kind() == "" {
		return errors.New("a record has exactly one kind: workspace, rootKey, api, migration, permission, role, identity, key, namespace, override or balance")
	}
	if b := r.Balance; b != nil && (b.KeyID == "") == (b.IdentityID == "") {
		return errors.New("balance: either keyId or identityId is required")
	}
	if w := r.Workspace; w != nil && r.WorkspaceID != "" && r.WorkspaceID != string(w.ID) {
		return errors.New("workspaceId is not the id of the workspace")
	}
	if r.Key != nil && len(r.Key.Meta) > maxKeyMeta {
		return fmt.Errorf("key.meta is too large: %d bytes as compact JSON, at most %d are allowed", len(r.Key.Meta), maxKeyMeta)
	}
	if r.Identity != nil && len(r.Identity.Meta) > maxIdentityMeta {
		return fmt.Errorf("identity.meta is too large: %d bytes as compact JSON, at most %d are allowed", len(r.Identity.Meta), maxIdentityMeta)
	}
	for at, hash := range r.hashes() {
		if hash != "" && !hash.fits() {
			return fmt.Errorf("%s is neither the standard base64 of 32 bytes nor 64 hexadecimal digits", at)
		}
	}
	return r.credits().check()
}

func (r *Record) hashes() map[string]Hash {
	switch {
	case r.Key != nil:
		return map[string]Hash{"key.hash": r.Key.Hash, "key.formerHash": r.Key.FormerHash}
	case r.RootKey != nil:
		return map[string]Hash{"rootKey.hash": r.RootKey.Hash}
	}
	return nil
}

// fits looks for hexadecimal digits first: 64 of them are also base64, of 48 bytes.
func (h Hash) fits() bool {
	raw, err := hex.DecodeString(string(h))
	if err != nil {
		raw, err = base64.StdEncoding.DecodeString(string(h))
	}
	return err == nil && len(raw) == 32
}

func (r *Record) credits() *Credits {
	switch {
	case r.Key != nil:
		return r.Key.Credits
	case r.Identity != nil:
		return r.Identity.Credits
	case r.Balance != nil:
		return r.Balance.Credits
	}
	return nil
}

func (c *Credits) check() error {
	if c == nil || c.Refill == nil {
		return nil
	}
	if (c.Refill.Interval == "monthly") != (c.Refill.RefillDay != 0) {
		return errors.New("credits.refill.refillDay is required when the interval is monthly, and not allowed when it is daily")
	}
	return nil
}

// Validate is Check for a record that was not decoded: it also checks everything that the JSON Schema says.
func (r *Record) Validate() error {
	line, err := encode(r)
	if err == nil {
		_, err = decodeRecord(line)
	}
	return err
}

// encode returns a line without its line feed. The same value always gives the same bytes.
// encoder makes lines, one after another in the same memory: a file has many.
type encoder struct {
	line bytes.Buffer
	json *json.Encoder
}

// encode returns a value as a line, with its line feed. It is valid until the next call.
func (e *encoder) encode(value any) ([]byte, error) {
	if e.json == nil {
		e.json = json.NewEncoder(&e.line)
		e.json.SetEscapeHTML(false)
	}
	e.line.Reset()
	if err := e.json.Encode(value); err != nil {
		return nil, err
	}
	return e.line.Bytes(), nil
}

func encode(value any) ([]byte, error) {
	line, err := new(encoder).encode(value)
	return bytes.TrimSuffix(line, []byte("\n")), err
}

func decodeRecord(line []byte) (*Record, error) {
	r, bad := recordSchema.Decode(line)
	if bad != nil {
		return nil, describe(bad)
	}
	if err := r.Check(); err != nil {
		return nil, err
	}
	return &r, nil
}

// describe says where a line breaks the format.
func describe(bad *schema.Problem) error {
	if len(bad.Errors) == 0 {
		return errors.New(bad.Detail(Format))
	}
	if bad.Kind == schema.KindEmpty {
		return errors.New("the line is empty")
	}
	texts := make([]string, 0, len(bad.Errors))
	for _, e := range bad.Errors {
		at := e.Location[:max(0, strings.LastIndexByte(e.Location, '/'))] // without the keyword, which the message names
		at = strings.TrimPrefix(strings.ReplaceAll(strings.ReplaceAll(at, "/properties/", "."), "/items", "[]"), ".")
		message := strings.Replace(e.Message, "The request body cannot be decoded", "not JSON", 1) // it is a line of a file
		texts = append(texts, strings.TrimPrefix(at+": "+message, ": "))
	}
	return errors.New(strings.Join(texts, "; "))
}
