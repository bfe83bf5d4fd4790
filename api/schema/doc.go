// Package schema makes three things from the Go type of a request body: a strict decoder, the list of all violations in a body, and a JSON
// Schema. The type is the only description of the body.
//
// # Describing a body
//
//	// KeyID is the contract's KeyId. Fields of this type share its constraints.
//	type KeyID string
//
//	func (KeyID) SchemaTag() string { return `schema:"minLength=3,maxLength=255,pattern=^[a-zA-Z0-9_]+$"` }
//
//	type updateKeyRequest struct {
//		KeyID   KeyID                          `json:"keyId" schema:"required" doc:"The key to change."`
//		Name    schema.Nullable[string]        `json:"name" schema:"minLength=1,maxLength=255"` // absent, null or a value
//		Enabled *bool                          `json:"enabled"`                                 // absent or a value
//		Meta    schema.Nullable[schema.Object] `json:"meta" schema:"maxProperties=100"`         // free-form JSON object
//		Roles   []RoleName                     `json:"roles" schema:"maxItems=100"`             // nil: absent, empty: []
//		Tags    []string                       `json:"tags" schema:"maxItems=20" items:"minLength=1,maxLength=512"`
//		Limit   int64                          `json:"limit" schema:"minimum=1,maximum=100,default=100"`
//	}
//
//	var updateKey = schema.MustCompile[updateKeyRequest]("keys.updateKey")
//
//	req, problem := updateKey.Decode(body)
//
// A body is a struct or a slice. A field is a string, int64, bool, [Object], struct, or a slice of these. A pointer or
// [Optional] tells an absent field from a zero one; [Nullable] also accepts null. A plain field that is absent holds its
// default or its zero value.
//
// An object with a name that is not described is refused, unless its struct has a field _ of type [Loose]. A field of type
// [Span] learns where the object is in the body.
//
// The schema tag lists, separated by commas: required, default=, minLength=, maxLength=, enum=a|b|c, minimum=, maximum=,
// minItems=, maxItems=, minProperties=, maxProperties=, pattern=. A pattern takes the rest of the tag. The items tag
// constrains the elements of a slice in the same way. The doc tag is the description in the JSON Schema. [Compile] refuses a
// description that makes no sense.
//
// # Rules
//
// docs/contract.md 1.7 to 1.9 has the rules. Of several members with the same name the last one counts. Lengths count code
// points. Text that is not UTF-8 or has half a surrogate pair is not JSON here, because replacing characters could turn two
// keys into one.
//
// Decode makes one pass over a valid body and allocates only the result. Only for a body that this pass refuses does the
// JSON-schema validator run, and lists what is wrong. Both happen before authentication, so their work is bounded: see
// DESIGN.md of package api.
//
// A compiled [Schema] does not change, and any number of goroutines may use it.
package schema
