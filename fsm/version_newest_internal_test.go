//go:build !nextversion

package fsm

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// What the build for tests of upgrades adds takes no memory here. An empty field at the end of a struct would.
func TestNextVersion_TakesNoMemory(t *testing.T) {
	for _, typ := range []reflect.Type{
		reflect.TypeFor[credit](), reflect.TypeFor[workspace](), reflect.TypeFor[Verdict](), reflect.TypeFor[State](),
	} {
		var last reflect.StructField
		for i := range typ.NumField() {
			last = typ.Field(i)
		}
		require.NotZero(t, last.Type.Size(), "%v ends in %s", typ, last.Name)
	}
	require.Zero(t, unsafe.Sizeof(nextCredit{})+unsafe.Sizeof(nextWorkspace{})+unsafe.Sizeof(nextVerdict{})+unsafe.Sizeof(nextState{}))
}
