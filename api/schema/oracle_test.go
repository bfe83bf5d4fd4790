package schema_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/creditd/creditd/api/schema"
)

// An oracle says independently what Decode must answer: JSON syntax by jsontext, violations by the validator library
// working on JSONSchema(nil), and the typed result from a plain tree of the body.
type oracle struct {
	name   string
	schema map[string]any // as parsed JSON
	valid  *jsonschema.Schema
	decode func(body []byte) (any, *schema.Problem)
}

func newOracle[T any](name string, s *schema.Schema[T]) oracle {
	text, err := json.Marshal(s.JSONSchema(nil))
	if err != nil {
		panic(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		panic(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mem:///schema", doc); err != nil {
		panic(err)
	}
	return oracle{
		name:   name,
		schema: doc.(map[string]any),
		valid:  c.MustCompile("mem:///schema"),
		decode: func(body []byte) (any, *schema.Problem) { return s.Decode(body) },
	}
}

var oracles = []oracle{
	newOracle("verifyKey", verifyKey), newOracle("createKey", createKey), newOracle("updateKey", updateKey),
	newOracle("updateCredits", updateCredits), newOracle("createIdentity", createIdentity), newOracle("updateIdentity", updateIdentity),
	newOracle("multiLimit", multiLimit),
}

// Within these limits no message is shortened and the library does not expand huge powers of ten.
const oracleBody = 500

var longExponent = regexp.MustCompile(`[eE][+-]?[0-9]{4}`)

// check holds Decode against the oracle for one body.
func (o oracle) check(t testing.TB, body []byte) {
	t.Helper()
	req, problem := o.decode(slices.Clone(body))
	if len(body) == 0 {
		require.Equal(t, schema.KindEmpty, problem.Kind)
		return
	}
	tree, ok := parseTree(body)
	if !ok {
		require.NotNil(t, problem, "%s accepts %q", o.name, body)
		require.Equal(t, schema.KindMalformed, problem.Kind, "%s: %q", o.name, body)
		return
	}
	want := o.violations(tree)
	switch {
	case len(want) > 0:
		require.NotNil(t, problem, "%s accepts %s, want %v", o.name, body, want)
		require.Equal(t, schema.KindSchema, problem.Kind, "%s: %s", o.name, body)
		require.Equal(t, want, items(problem), "%s: %s", o.name, body)
	case !fits(o.schema, tree):
		require.NotNil(t, problem, "%s accepts %s", o.name, body)
		require.Equal(t, schema.KindValue, problem.Kind, "%s: %s", o.name, body)
		require.True(t, problem.AfterAuth())
	default:
		require.Nil(t, problem, "%s refuses %s", o.name, body)
		require.Equal(t, complete(o.schema, tree, reflect.ValueOf(req).Type()), asTree(reflect.ValueOf(req)), "%s: %s", o.name, body)
	}
}

// parseTree parses a body the simple way. The last member of a name wins in maps by itself.
func parseTree(body []byte) (any, bool) {
	if !jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true)) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, false
	}
	// The depth of the text, which repeated names hide in the tree.
	text := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true))
	for {
		if _, err := text.ReadToken(); err != nil {
			return tree, true
		}
		if text.StackDepth() > schema.MaxDepth {
			return nil, false
		}
	}
}

// item is a violation in a form that can be compared: the library lists unknown names in random order.
type item struct{ location, message string }

func newItem(location, message string) item {
	if strings.HasSuffix(location, "/additionalProperties") {
		letters := []byte(message)
		slices.Sort(letters)
		message = string(letters)
	}
	return item{location: location, message: message}
}

func sortItems(list []item) []item {
	slices.SortFunc(list, func(a, b item) int { return strings.Compare(a.location+"\x00"+a.message, b.location+"\x00"+b.message) })
	return list
}

func items(p *schema.Problem) []item {
	var list []item
	for _, v := range p.Errors {
		list = append(list, newItem(v.Location, v.Message))
	}
	return sortItems(list)
}

func (o oracle) violations(tree any) []item {
	err := o.valid.Validate(tree)
	if err == nil {
		return nil
	}
	var list []item
	flatten(err.(*jsonschema.ValidationError), &list)
	return sortItems(list)
}

func flatten(err *jsonschema.ValidationError, list *[]item) {
	if len(err.Causes) > 0 {
		for _, cause := range err.Causes {
			flatten(cause, list)
		}
		return
	}
	location := strings.TrimPrefix(err.SchemaURL, "mem:///schema#")
	for _, keyword := range err.ErrorKind.KeywordPath() {
		location += "/" + keyword
	}
	*list = append(*list, newItem(location, err.ErrorKind.LocalizedString(message.NewPrinter(language.Und))))
}

// fits reports whether every number where the schema wants an integer is one for the Go decoder, too.
func fits(sch map[string]any, tree any) bool {
	switch v := tree.(type) {
	case json.Number:
		_, err := v.Int64()
		return err == nil
	case []any:
		items := sch["items"].(map[string]any)
		return !slices.ContainsFunc(v, func(e any) bool { return !fits(items, e) })
	case map[string]any:
		properties, _ := sch["properties"].(map[string]any)
		for name, e := range v {
			if sub, ok := properties[name].(map[string]any); ok && !fits(sub, e) {
				return false
			}
		}
	}
	return true
}

// complete adds to the tree what the request type holds for absent fields, and takes away what a loose object ignores.
func complete(sch map[string]any, tree any, t reflect.Type) any {
	switch v := tree.(type) {
	case json.Number:
		n, _ := v.Int64()
		return n
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = complete(sch["items"].(map[string]any), e, t.Elem())
		}
		return list
	case map[string]any:
		properties, ok := sch["properties"].(map[string]any)
		if !ok {
			return tree // free-form
		}
		full := map[string]any{}
		for i := range t.NumField() {
			f := t.Field(i)
			name := f.Tag.Get("json")
			e, given := v[name]
			switch ft := f.Type; {
			case name == "":
			case given && ft.Kind() == reflect.Pointer:
				full[name] = complete(properties[name].(map[string]any), e, ft.Elem())
			case given && isWrapper(ft):
				full[name] = complete(properties[name].(map[string]any), e, ft.Field(0).Type)
			case given:
				full[name] = complete(properties[name].(map[string]any), e, ft)
			case ft.Kind() == reflect.String && ft != reflect.TypeFor[schema.Object]():
				full[name] = ""
			case ft.Kind() == reflect.Int64, ft.Kind() == reflect.Bool:
				full[name] = absent(properties[name].(map[string]any), ft)
			}
		}
		return full
	}
	return tree
}

func absent(sch map[string]any, t reflect.Type) any {
	switch def := sch["default"].(type) {
	case json.Number:
		n, _ := def.Int64()
		return n
	case bool:
		return def
	}
	if t.Kind() == reflect.Bool {
		return false
	}
	return int64(0)
}

func isWrapper(t reflect.Type) bool {
	return strings.HasPrefix(t.Name(), "Nullable[") || strings.HasPrefix(t.Name(), "Optional[")
}

// asTree turns a decoded request back into a plain tree.
func asTree(v reflect.Value) any {
	switch {
	case v.Type() == reflect.TypeFor[schema.Object]():
		tree, ok := parseTree([]byte(v.String()))
		if !ok {
			panic("not JSON: " + v.String())
		}
		return tree
	case v.Kind() == reflect.Pointer:
		return asTree(v.Elem())
	case isWrapper(v.Type()):
		if v.MethodByName("Set").Call(nil)[0].Bool() {
			return asTree(v.Field(0))
		}
		return nil
	case v.Kind() == reflect.String:
		return v.String()
	case v.Kind() == reflect.Int64:
		return v.Int()
	case v.Kind() == reflect.Bool:
		return v.Bool()
	case v.Kind() == reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = asTree(v.Index(i))
		}
		return list
	}
	object := map[string]any{}
	for i := range v.NumField() {
		f, e := v.Type().Field(i), v.Field(i)
		name := f.Tag.Get("json")
		switch {
		case name == "":
		case (e.Kind() == reflect.Pointer || e.Kind() == reflect.Slice) && e.IsNil():
		case f.Type == reflect.TypeFor[schema.Object]() && e.String() == "":
		case isWrapper(f.Type) && e.IsZero():
		default:
			object[name] = asTree(e)
		}
	}
	return object
}
