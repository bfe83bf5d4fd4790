// Package fsm is the credit ledger as a pure value: commands in, results out.
//
// A State holds workspaces, root keys, APIs, keys, identities and their balances. Only [State.Apply] changes it. The same batches in the
// same order give the same state on every node: Apply reads no clock, no random numbers, and no map in its iteration order. Time is the
// stamp of the batch, from the leader that proposed it. Whoever builds a command supplies new ids and key hashes.
//
// # Where a thing lives
//
//	cmd_*.go      one command each: struct, fields, kind, audit event, ledger version, rule
//	query_*.go    one query each
//	record_*.go   how each entity is stored; result_*.go: answers; value_*.go: what both contain
//	registry.go   one row for each command and each kind of record; result.go: one row for each result
//	apply.go      one log entry: log time, authentication, retransmissions, idempotency, audit
//	verify*.go    the decision of a verification: who pays, rate limits, batches
//	credit.go     a balance: debit, set, increment, decrement; refill.go: when a refill is due
//	key.go, identity.go, workspace.go, permission.go, window.go and the like: the entities in memory
//	expiry.go     the deadline queue for everything that expires
//	freeze.go     which records changed, for a snapshot; snapshot.go: records out and in; digest.go
//	version.go    ledger versions; form.go: the forms of a value
//
// The files stand on floors: values and results, records, the record of changes, balances, other entities, commands. A file uses only its
// own floor and lower ones. A test in scripts/tidy checks this.
//
// # Who may call
//
// A State has no lock. Its owner, package cluster/replica, calls Apply, Freeze and the methods of Frozen under an exclusive lock, and Peek,
// Answer, Digest and Stats under a shared one. A result refers to nothing that changes later, so it may be read without the lock.
//
// # Invariants
//
//   - A rate limit never admits more than its limit. Windows are counted in integers and log time.
//   - A balance is never negative. All arithmetic on amounts is checked.
//   - Granted − withdrawn − debited equals the sum of all balances, modulo 2^64 (see [Totals]).
//   - A command runs all checks before it writes anything, so a refused command changes nothing.
//   - Code that finds an invariant broken panics, so that the node stops.
//
// docs/contract.md has the rules. Comments cite its sections.
package fsm
