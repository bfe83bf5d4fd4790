package records

// JSONSchema returns the schema of a line, draft 2020-12. docs/records.schema.json has it.
func JSONSchema() map[string]any {
	defs := map[string]any{}
	define := func(name string, object map[string]any) map[string]any {
		defs[name] = object
		return map[string]any{"$ref": "#/$defs/" + name}
	}
	lines := []any{
		headerSchema.JSONSchema(define), endSchema.JSONSchema(define), recordSchema.JSONSchema(define),
	}
	return map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "A line of a file of " + Format + ", version 1",
		"oneOf":   lines,
		"$defs":   defs,
	}
}
