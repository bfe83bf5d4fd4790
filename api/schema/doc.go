// Package schema turns the Go type of a request body into everything the HTTP contract needs to know about that body:
// a strict decoder, the exact list of validation errors, and a JSON Schema. The type is the only description; nothing
// about an endpoint's body is written a second time.
//
// # Describing a body
//
//	// KeyID is the contract's KeyId. A constraint shared by endpoints lives on the type.
//	type KeyID string
//
//	func (KeyID) SchemaTag() string { return `schema:"minLength=3,maxLength=255,pattern=^[a-zA-Z0-9_]+$"` }
//
//	type updateKeyRequest struct {
//		KeyID   KeyID                    `json:"keyId" schema:"required" doc:"The key to change." example:"key_2cGKbMxRyIzhCxo1"`
//		Name    schema.Nullable[string]  `json:"name" schema:"minLength=1,maxLength=255"` // absent, null or a value
//		Enabled *bool                    `json:"enabled"`                                 // absent or a value
//		Meta    schema.Nullable[schema.Object] `json:"meta" schema:"maxProperties=100"`   // free-form JSON object
//		Roles   []RoleName               `json:"roles" schema:"maxItems=100"`             // nil means absent, empty means []
//		Tags    []string                 `json:"tags" schema:"maxItems=20" items:"minLength=1,maxLength=512"`
//		Limit   int64                    `json:"limit" schema:"minimum=1,maximum=100,default=100"`
//		Credits schema.Nullable[creditsUpdate] `json:"credits"`
//		Ratelimits schema.Unsupported    `json:"ratelimits"` // in the contract, not served: refused with a clear message
//	}
//
//	var updateKey = schema.MustCompile[updateKeyRequest]("keys.updateKey")
//
//	req, problem := updateKey.Decode(body)
//	if problem != nil && !problem.AfterAuth() {
//		// 400 invalid_input now: problem.Detail(path), problem.Errors
//	}
//	// ... authenticate ...
//	if problem != nil {
//		// 400 invalid_input: problem.Detail(path), errors empty
//	}
//
// Field types: string kinds, int64 kinds, bool, structs, slices of these, [Object], [Unsupported]. A pointer or
// [Optional] tells an absent field from a zero one; [Nullable] additionally accepts null. A plain field that is absent
// holds its default, or else its zero value. The type given to [Compile] is a struct or a slice.
//
// Objects are strict: a name that is not described is a violation. A struct holding the field
//
//	_ schema.Loose
//
// ignores such names instead (docs/contract.md 1.9).
//
// A struct with an exported field of type [Span] and without tags learns where in the body it stood.
//
// Keys of the schema tag, separated by commas: required, default=…, minLength=, maxLength=, enum=a|b|c, minimum=,
// maximum=, minItems=, maxItems=, maxProperties=, pattern=…; pattern takes the rest of the tag and therefore comes last
// (in the quotes of a tag a backslash is written twice).
// The items tag has the same syntax and constrains the elements of a slice. The doc and example tags only feed
// [Schema.JSONSchema]. A type may carry all of these in a SchemaTag method (see [Described]); tags on the field add to
// and override them. A description that makes no sense is an error of Compile, never of Decode.
//
// # Semantics
//
// The rules are those of docs/contract.md 1.7 to 1.9. The last of several members with one name counts, names are
// case-sensitive, null is of the wrong type unless the field is Nullable, lengths count code points. A number such as
// 1.0 or one beyond int64 satisfies the schema and then fails the typed decoding ([KindValue]).
//
// Text that is not UTF-8, or that escapes half of a surrogate pair, is not JSON here: accepting it by replacing
// characters would let two different keys become one. Nesting beyond [MaxDepth] is refused likewise.
//
// # How it works
//
// Decode makes one pass over the bytes, with no allocation beyond the result, and gives up at the first oddity (a
// violation, a repeated name, a syntax error). Only then a second pass of the same walker over the same description
// runs with collection turned on; it first establishes that the text is JSON, and then explains every violation. Because
// each rule is tested in exactly one place, the two passes cannot disagree. The wording of a violation comes from the
// validator library whose wording the contract documents; tests hold the whole result against that library.
//
// Bodies are checked before anyone is authenticated, so the work is bounded: time is linear in the size of the body,
// at most [MaxErrors] violations are listed, and long values are shortened when a message quotes them.
//
// The package knows nothing of HTTP, of authentication or of the ledger. A compiled Schema is immutable and may be
// used by any number of goroutines.
package schema
