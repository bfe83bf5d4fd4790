// Package api serves the HTTP contract of docs/contract.md: routes, strict decoding, the error table, envelopes, headers and
// metrics. It holds no rule of the ledger and no secret: authentication, permissions and balances are decided inside the ledger,
// which gets the hash of the caller's root key with every command and query, and answers with a result or an [fsm.Refusal].
//
// The package knows nothing of replication. It sees the ledger through [Node] and tells an answer (a result) from the lack of
// one (a fault, package cluster/fault); the tables in errors.go turn both into HTTP.
//
// # How a request travels
//
//	endpoint.go   the steps every request goes through, in the order of contract 1.2; what differs is a decoder and a handler
//	call.go       one request: its body, its caller, its deadline, and what a handler may ask of the ledger
//	body.go, headers.go, errors.go, respond.go   one step each
//	<noun>_<verb>.go   one endpoint: its request type and its handler
//
// # Adding an endpoint
//
// Write its request type, which is also its schema (package api/schema), and a handler
//
//	func createThing(c *call, req createThingRequest) (any, error)
//
// which asks the ledger with execute or answer and returns what stands in data; then add one row to the table in routes.go and
// one to the permission matrix of the tests, which fail until it is there.
//
// # Invariants
//
//   - A 5xx and a 429 mean: certainly not executed. Whatever fails once a command was handed to the ledger, without proof that it
//     had no effect, is a 408 with Creditd-Outcome: unknown (contract 7.1).
//   - Keys, bodies and header values are never logged.
//   - A call is reused for another request when it is over; nothing may keep a reference to it.
package api
