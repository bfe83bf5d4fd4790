package fsm

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/creditd/creditd/fsm/fields"
)

// formMark precedes the form and the kind of a command or a result that is not in its first form.
const formMark byte = 255

// value is a command, a result or a record: each has forms.
type value interface {
	fields(v *fields.Visitor)
}

// oldestForm is the oldest form that can hold a value. since is the version that added the type, newest the version of its youngest field;
// 0: no field was added. The visitor lends its finder.
func oldestForm(v *fields.Visitor, c value, since, newest uint64) uint64 {
	if newest == 0 {
		return since
	}
	finder := v.Finder()
	c.fields(finder)
	return max(since, finder.Need())
}

// writeForm writes the kind of a value, preceded by the form if it is not the first.
func writeForm(v *fields.Visitor, kind byte, form uint64) {
	if form > 1 {
		mark := formMark
		v.Byte(&mark)
		v.Uint(&form)
	}
	v.Byte(&kind)
	v.SetForm(kind, form)
}

// readForm reads what writeForm wrote.
func readForm(v *fields.Visitor, what string) (kind byte) {
	form := uint64(1)
	if v.Byte(&kind); kind == formMark {
		if v.Uint(&form); v.Err() == nil && form <= 1 {
			v.Fail(errors.New("the first form of a value is marked"))
		}
		checkForm(v, what, form)
		v.Byte(&kind)
	}
	v.SetForm(kind, form)
	return kind
}

// checkForm refuses a form that only a newer build reads.
func checkForm(v *fields.Visitor, what string, form uint64) {
	if v.Err() != nil {
		return
	}
	if err := CheckLedgerVersion(what, form, ""); err != nil {
		v.Fail(err)
	}
}

// checkOldest refuses a value that was not written in the oldest form that holds it.
func checkOldest(v *fields.Visitor, c value, form, since, newest uint64) {
	if v.Err() != nil {
		return
	}
	if oldest := oldestForm(v, c, since, newest); form != oldest {
		v.Fail(fmt.Errorf("a value has the form of ledger version %d, and that of %d holds it", form, oldest))
	}
}

// nextKind returns the kind of the command or result to read next without reading it.
func nextKind(v *fields.Visitor) (kind byte, ok bool) {
	mark, ok := v.Peek()
	if !ok || mark != formMark {
		return mark, ok
	}
	rest := v.Bytes()[1:]
	_, n := binary.Uvarint(rest)
	if n <= 0 || n >= len(rest) {
		return 0, false
	}
	return rest[n], true
}
