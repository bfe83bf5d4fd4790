package api_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

var updateDocument = flag.Bool("update-openapi", false, "write testdata/openapi.json anew")

// TestOpenAPI_KeepsItsMeaning compares the document with an earlier one: the operations of that one say the same still, however they are
// worded and whatever their components are named. To change an operation on purpose, run the test with -update-openapi.
func TestOpenAPI_KeepsItsMeaning(t *testing.T) {
	const file = "testdata/openapi.json"
	if *updateDocument {
		text := newServer(t).visit("GET", "/openapi.json").Body.Bytes()
		require.NoError(t, os.WriteFile(file, text, 0o644))
	}
	text, err := os.Open(file)
	require.NoError(t, err)
	defer text.Close()
	decoded, err := jsonschema.UnmarshalJSON(text)
	require.NoError(t, err)
	earlier := decoded.(map[string]any)
	today, err := jsonschema.UnmarshalJSON(strings.NewReader(newServer(t).visit("GET", "/openapi.json").Body.String()))
	require.NoError(t, err)
	now := today.(map[string]any)
	for path, item := range earlier["paths"].(map[string]any) {
		for method, operation := range item.(map[string]any) {
			t.Run(path, func(t *testing.T) {
				require.Contains(t, now["paths"], path)
				same := now["paths"].(map[string]any)[path].(map[string]any)[method]
				require.Equal(t, meaning(earlier, operation), meaning(now, same))
				require.Subset(t, rootPermissions(same), rootPermissions(operation))
			})
		}
	}
}

// meaning is a part of a document with its references resolved, without words, and with one spelling for what can be spelled in several
// ways.
func meaning(document map[string]any, part any) any {
	switch part := part.(type) {
	case map[string]any:
		if ref, ok := part["$ref"].(string); ok {
			var target any = document
			for name := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
				target = target.(map[string]any)[name]
			}
			return meaning(document, target)
		}
		all := map[string]any{}
		for name, value := range part {
			_, words := value.(string)
			switch {
			case words && (name == "description" || name == "summary"):
			case name == "additionalProperties" && value == true: // as without it
			default:
				all[name] = meaning(document, value)
			}
		}
		return all
	case []any:
		list := make([]any, len(part))
		for i, value := range part {
			list[i] = meaning(document, value)
		}
		slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		return list
	}
	return part
}

var rootPermission = regexp.MustCompile("`(api|identity|rbac|ratelimit|cluster|audit)\\.[^`]+\\.[a-z_]+`")

// rootPermissions are those that the description of an operation names.
func rootPermissions(operation any) []string {
	text, _ := operation.(map[string]any)["description"].(string)
	return rootPermission.FindAllString(text, -1)
}
