// Package api serves the HTTP contract of docs/contract.md: routes, strict decoding, the error catalogue, envelopes, headers and
// metrics. It has no rule of the ledger and no secret. The ledger decides authentication, permissions and balances. It gets the
// hash of the caller's root key with every command and query, and answers with a result or an [fsm.Refusal].
//
// The package knows nothing of replication. It sees the ledger through [Node], which returns a result, or an error when it
// reached no answer (a fault, package cluster/fault). The tables in errors.go turn both into HTTP.
//
// # Files
//
//	endpoints.go        the list of endpoints
//	<noun>_<verb>.go    one endpoint: request, answer, texts, permissions, errors and handler
//	shape_<noun>.go     what several endpoints have in their requests or answers
//	endpoint.go         the steps that every request takes, in the order of contract 1.2
//	call.go             one request: its body, its caller, its deadline, and what a handler may ask of the ledger
//	respond.go          answers in the envelope; stream.go: answers without it
//	permission.go       the root permissions that an endpoint needs
//	describe.go         what the OpenAPI document and docs/api.md say of an endpoint
//
// DESIGN.md explains how to add an endpoint.
//
// # Invariants
//
//   - A 5xx and a 429 mean: certainly not executed. After a command was proposed, a failure without proof that it had no effect
//     is a 408 with Creditd-Outcome: unknown (contract 7.1).
//   - Keys, bodies and header values are never logged.
//   - A call is reused for another request when it ends. Nothing may keep a reference to it.
package api
