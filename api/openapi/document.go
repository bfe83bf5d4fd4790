package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

const (
	mediaJSON    = "application/json"
	mediaProblem = "application/problem+json"
	mediaText    = "text/plain"
)

type object = map[string]any

// builder collects the components that operations refer to.
type builder struct {
	shapes    shapes
	responses object
}

// Document returns an OpenAPI 3.1 document in JSON.
func Document(version string, endpoints []Endpoint, probes []Probe) ([]byte, error) {
	b := &builder{shapes: shapes{}, responses: object{}}
	paths := object{}
	for _, e := range endpoints {
		operation, err := b.operation(e)
		if err != nil {
			return nil, fmt.Errorf("openapi: %s: %w", e.Name, err)
		}
		paths[e.Path] = object{strings.ToLower(e.Method): operation}
	}
	for _, p := range probes {
		paths[p.Path] = object{"get": probe(p)}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "creditd", "version": version,
			"description": "A distributed, in-memory credit ledger that speaks the HTTP API of Unkey v2.",
			"license":     object{"name": "Apache 2.0", "identifier": "Apache-2.0"},
		},
		"servers": []any{object{"url": "/"}},
		"tags":    tags(endpoints),
		"paths":   paths,
		"components": object{
			"schemas": b.schemas(), "responses": b.responses, "headers": headers(), "parameters": parameters(),
			"securitySchemes": object{"rootKey": object{"type": "http", "scheme": "bearer", "description": "A root key."}},
		},
	})
	return out.Bytes(), err
}

// noun is the part of a name that groups endpoints.
func noun(name string) string {
	group, _, _ := strings.Cut(name, ".")
	return group
}

func tags(endpoints []Endpoint) []any {
	var names []string
	for _, e := range endpoints {
		if group := noun(e.Name); !slices.Contains(names, group) {
			names = append(names, group)
		}
	}
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = object{"name": name}
	}
	return list
}

func (b *builder) operation(e Endpoint) (object, error) {
	operation := object{
		"operationId": e.Name, "tags": []any{noun(e.Name)}, "summary": e.Summary, "responses": b.answers(e),
	}
	if text := describe(e); text != "" {
		operation["description"] = text
	}
	if e.Open {
		operation["security"] = []any{}
		return operation, nil
	}
	operation["security"] = []any{object{"rootKey": []any{}}}
	var example any
	decoder := json.NewDecoder(strings.NewReader(e.Example))
	decoder.UseNumber()
	if err := decoder.Decode(&example); err != nil {
		return nil, fmt.Errorf("example: %w", err)
	}
	operation["requestBody"] = object{
		"required": true,
		"content":  object{mediaJSON: object{"schema": e.Request(b.shapes.define), "example": example}},
	}
	if e.Reads {
		operation["parameters"] = []any{reference("parameters", "Consistency"), reference("parameters", "MinIndex")}
	}
	if e.Idempotent {
		operation["parameters"] = []any{reference("parameters", "IdempotencyKey")}
	}
	return operation, nil
}

// describe is the description of an endpoint with the permissions that it needs.
func describe(e Endpoint) string {
	text := e.Description
	var always, also []string
	for _, n := range e.Needs {
		accepted := "`" + strings.Join(n.Accepted, "` or `") + "`"
		if n.Condition == "" {
			always = append(always, accepted)
		} else {
			also = append(also, accepted+" "+n.Condition)
		}
	}
	parts := []string{strings.Join(always, ", and "), strings.Join(also, ", and ")}
	if len(always) > 0 && len(also) > 0 {
		parts[1] = "also " + parts[1]
	}
	if needs := strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; "); needs != "" {
		text += "\n\nPermission: " + needs + "."
	}
	if e.NeedsNote != "" {
		text += " " + e.NeedsNote
	}
	return strings.TrimSpace(text)
}

// success describes the content of an answer with status 200.
func (b *builder) success(e Endpoint) object {
	if e.Media != "" {
		return object{e.Media: object{}}
	}
	name, properties, required := "Meta", object{"meta": reference("schemas", "Meta")}, []any{"meta"}
	if e.Result != nil {
		data := b.shapes.of(e.Result)
		name, properties["data"] = nameOf(data), data
		required = append(required, "data")
	}
	if e.Paged {
		name, properties["pagination"] = strings.TrimSuffix(name, "List")+"Page", reference("schemas", "Pagination")
		required = append(required, "pagination")
	}
	envelope := object{"type": "object", "properties": properties, "required": required}
	return object{mediaJSON: object{"schema": b.shapes.define(name+"Answer", envelope)}}
}

// nameOf is what an envelope is named after.
func nameOf(data object) string {
	if ref, ok := data["$ref"].(string); ok {
		return path.Base(ref)
	}
	if items, ok := data["items"].(object); ok {
		return nameOf(items) + "List"
	}
	return "Empty"
}

// answers describes the answers of an endpoint by status.
func (b *builder) answers(e Endpoint) object {
	success := object{"description": "Executed.", "content": b.success(e)}
	if !e.Open {
		links := object{"Creditd-Index": reference("headers", "Index")}
		rateLimits(links)
		if e.Idempotent {
			links["Idempotency-Replayed"] = reference("headers", "Replayed")
		}
		success["headers"] = links
	}
	all := object{"200": success}
	for _, group := range byStatus(e.Problems) {
		all[strconv.Itoa(group[0].Status)] = b.failure(group)
	}
	return all
}

// rateLimits adds the headers of the quota of requests.
func rateLimits(links object) {
	links["RateLimit-Limit"] = reference("headers", "RateLimit")
	links["RateLimit-Remaining"] = reference("headers", "RateLimitRemaining")
	links["RateLimit-Reset"] = reference("headers", "RateLimitReset")
}

// byStatus groups problems, in ascending order of status.
func byStatus(problems []Problem) [][]Problem {
	sorted := slices.Clone(problems)
	slices.SortStableFunc(sorted, func(a, b Problem) int { return a.Status - b.Status })
	var groups [][]Problem
	for i, p := range sorted {
		if i == 0 || p.Status != sorted[i-1].Status {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], p)
	}
	return groups
}

// failure describes the answers of one status, and refers to the description if another endpoint has the same.
func (b *builder) failure(group []Problem) object {
	first := group[0]
	name, text := strconv.Itoa(first.Status), first.Title+"."
	var types []any
	for _, p := range group {
		if slices.Contains(types, any(p.Type)) {
			continue
		}
		types = append(types, p.Type)
		name += "." + path.Base(p.Type)
		text += "\n\n- `" + path.Base(p.Type) + "`: " + p.Detail
	}
	media := object{mediaProblem: object{"schema": b.envelope(name, first, types)}}
	if first.ProblemOnly {
		name += ".problem"
	} else {
		media[mediaJSON] = media[mediaProblem]
	}
	response := object{"description": text, "content": media}
	links := object{}
	if first.RetryAfter {
		links["Retry-After"] = reference("headers", "RetryAfter")
	}
	if first.Status != http.StatusUnauthorized { // nobody is known there
		rateLimits(links)
	}
	if first.UnknownOutcome {
		name += ".unknown"
		links["Creditd-Outcome"] = reference("headers", "Outcome")
	}
	if len(links) > 0 {
		response["headers"] = links
	}
	b.responses[name] = response
	return reference("responses", name)
}

// envelope is the error envelope of one status and these types. The words of name name it.
func (b *builder) envelope(name string, p Problem, types []any) object {
	var suffix string
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '.' || r == '_' }) {
		suffix += componentName(word)
	}
	properties := object{
		"title": object{"type": "string"}, "detail": object{"type": "string"},
		"status": object{"const": p.Status}, "type": object{"type": "string", "enum": types},
	}
	required := []any{"title", "detail", "status", "type"}
	if p.ListsErrors {
		properties["errors"] = object{"type": "array", "items": reference("schemas", "Violation")}
		required = append(required, "errors")
	}
	problem := b.shapes.define("Error"+suffix, object{"type": "object", "properties": properties, "required": required})
	return b.shapes.define("Answer"+suffix, object{
		"type": "object", "required": []any{"meta", "error"},
		"properties": object{"meta": reference("schemas", "Meta"), "error": problem},
	})
}

func probe(p Probe) object {
	answer := func(text string) object {
		return object{"description": text, "content": object{mediaText: object{"schema": object{"type": "string"}}}}
	}
	answers := object{"200": answer(http.StatusText(http.StatusOK))}
	if p.Unhealthy {
		answers["503"] = answer("Not now; the text says why.")
	}
	return object{
		"operationId": strings.Trim(p.Path, "/"), "tags": []any{"probes"}, "summary": p.Summary, "security": []any{}, "responses": answers,
	}
}

func reference(kind, name string) object { return object{"$ref": "#/components/" + kind + "/" + name} }
