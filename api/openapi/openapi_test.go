package openapi

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/creditd/creditd/api/schema"
	"github.com/stretchr/testify/require"
)

type sample struct {
	Name     string   `json:"name" doc:"What people call it."`
	Left     *int64   `json:"left"` // null: unlimited
	Tags     []string `json:"tags,omitempty"`
	Open     bool     `json:"open,omitempty"`
	Meta     schema.Object
	Child    *sample `json:"child,omitempty"`
	Hidden   int     `json:"-"`
	internal int
	embedded
	Self encoded `json:"self"`
}

type embedded struct {
	Depth uint64 `json:"depth"`
}

// encoded writes itself, and says what that looks like.
type encoded struct{}

func (encoded) Shape() any { return embedded{} }

// TestShapes_FollowTheEncoding: what package encoding/json leaves out, renames or writes as null is described so.
func TestShapes_FollowTheEncoding(t *testing.T) {
	known := shapes{}
	_ = sample{}.internal
	require.Equal(t, map[string]any{"$ref": "#/components/schemas/Sample"}, known.of(reflect.TypeFor[*sample]()))
	text, err := json.Marshal(known)
	require.NoError(t, err)
	const depth = `{"type":"object","required":["depth"],"properties":{"depth":{"type":"integer","format":"int64"}}}`
	require.JSONEq(t, `{"Embedded":`+depth+`,"Sample":{"type":"object","required":["name","left","Meta","depth","self"],"properties":{
		"name":{"type":"string","description":"What people call it."},
		"left":{"type":["integer","null"],"format":"int64"},
		"tags":{"type":"array","items":{"type":"string"}},
		"open":{"type":"boolean"},
		"Meta":{"type":"object","additionalProperties":true},
		"child":{"$ref":"#/components/schemas/Sample"},
		"depth":{"type":"integer","format":"int64"},
		"self":{"$ref":"#/components/schemas/Embedded"}}}}`, string(text))
}

// TestShapes_RefuseWhatHasNoForm: a type that cannot be described stops the program at start, not a client.
func TestShapes_RefuseWhatHasNoForm(t *testing.T) {
	require.Panics(t, func() { shapes{}.of(reflect.TypeFor[chan int]()) })
}

// TestPage_CommandsAreQuoted: an id becomes a variable outside the quotes of the body, and a quote in the body stays one.
func TestPage_CommandsAreQuoted(t *testing.T) {
	require.Equal(t, `{"id":"'"$ID"'","name":"it'\''s"}`, withVariables(`{"id":"id_1","name":"it's"}`, map[string]string{"id_1": "ID"}))
}
