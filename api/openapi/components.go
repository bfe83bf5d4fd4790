package openapi

// schemas are the parts of every envelope, and the shapes that operations refer to.
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
				"cursor":  object{"type": "string", "description": "Asks for the next page. Left out on the last page."},
			},
		},
		"Violation": object{
			"type": "object", "required": []any{"location", "message"},
			"properties": object{
				"location": object{"type": "string", "description": "The path of the violated rule in the schema of the body."},
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
	outcome := header("string", "Present if the request may have been executed. Without this header it was not executed.")
	outcome["schema"] = object{"const": "unknown"}
	replayed := header("string", "Present if the answer belongs to an earlier request with the same Idempotency-Key. This request was not executed.")
	replayed["schema"] = object{"const": "true"}
	return object{
		"Replayed":           replayed,
		"Index":              header("integer", "The log index that the answer reflects. For a change or debit, the index of its log entry."),
		"Outcome":            outcome,
		"RateLimit":          header("integer", "Requests per second that the workspace may make. Present while it has such a quota."),
		"RateLimitRemaining": header("integer", "Requests that are left in this second. Present with RateLimit-Limit."),
		"RateLimitReset":     header("integer", "Seconds until the next ones. Present with RateLimit-Limit."),
		"RetryAfter":         header("integer", "Seconds to wait. The request was not executed."),
	}
}

func parameters() object {
	parameter := func(name, text string, schema object) object {
		return object{"name": name, "in": "header", "required": false, "description": text, "schema": schema}
	}
	return object{
		"Consistency": parameter("Creditd-Consistency", "Answer from the state of this node, without a check that it is current.",
			object{"const": "stale"}),
		"IdempotencyKey": parameter("Idempotency-Key", "A new name for each request. A request that is repeated with the same "+
			"name within a day gets the same answer and is not executed again.", object{"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}),
		"MinIndex": parameter("Creditd-Min-Index", "Answer from a state that includes this log index. With the Creditd-Index of a write, every node shows that write.",
			object{"type": "integer", "minimum": 0}),
	}
}
