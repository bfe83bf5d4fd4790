package openapi

// schemas are those of the envelope, and what the answers refer to.
func (b *builder) schemas() object {
	all := object{
		"Meta": object{
			"type": "object", "required": []any{"requestId"},
			"properties": object{"requestId": object{"type": "string", "description": "New for every request."}},
		},
		"Pagination": object{
			"type": "object", "required": []any{"hasMore"},
			"properties": object{
				"hasMore": object{"type": "boolean"},
				"cursor":  object{"type": "string", "description": "Where the next page begins. Left out on the last one."},
			},
		},
		"Violation": object{
			"type": "object", "required": []any{"location", "message"},
			"properties": object{
				"location": object{"type": "string", "description": "The path of the rule in the schema of the body."},
				"message":  object{"type": "string"}, "fix": object{"type": "string"},
			},
		},
	}
	for name, shape := range b.shapes {
		all[name] = shape
	}
	return all
}

func headers() object {
	header := func(kind, text string) object {
		return object{"description": text, "schema": object{"type": kind}}
	}
	outcome := header("string", "Present when the request may have been executed. Without it, it certainly was not.")
	outcome["schema"] = object{"const": "unknown"}
	replayed := header("string", "Present when the answer is that of an earlier request with the same Idempotency-Key; nothing was executed.")
	replayed["schema"] = object{"const": "true"}
	return object{
		"Replayed":   replayed,
		"Index":      header("integer", "The log index that the answer reflects; for a change or charge, that of its entry."),
		"Outcome":    outcome,
		"RetryAfter": header("integer", "Seconds to wait. The request was not executed."),
	}
}

func parameters() object {
	parameter := func(name, text string, schema object) object {
		return object{"name": name, "in": "header", "required": false, "description": text, "schema": schema}
	}
	return object{
		"Consistency": parameter("Creditd-Consistency", "Answer from the state of the node that is asked, as it is.",
			object{"const": "stale"}),
		"IdempotencyKey": parameter("Idempotency-Key", "A name for this request, new for each: sent again with the same name within a day, it is "+
			"answered as the first time and not executed again.", object{"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}),
		"MinIndex": parameter("Creditd-Min-Index", "Answer from a state that includes this log index: that of a write is read by any node.",
			object{"type": "integer", "minimum": 0}),
	}
}
