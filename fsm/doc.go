// Package fsm is the credit ledger as a pure value: commands in, results out.
//
// A State holds workspaces, root keys, APIs, keys, identities and their credit records. [State.Apply] is the only way to
// change it; given the same batches in the same order it reaches the same state on every node, because it reads no clock,
// no randomness and no map in its iteration order. Time is the stamp that a batch carries, made by the leader that proposed it;
// identifiers and key hashes are made by whoever built the command.
//
// # Where a thing lives
//
//	cmd_*.go      one command each: struct, fields, kind, audit event, ledger version, rule
//	query_*.go    one query each
//	record_*.go   what is stored of each thing; result_*.go: answers; value_*.go: what both are made of
//	registry.go   one row for each command and each kind of record; result.go: one row for each result
//	apply.go      one log entry: advance log time, authenticate, recognise a retransmission, audit
//	verify*.go    the decision of a verification: who pays, rate limits, batches
//	credit.go     a balance: charge, set, increment, decrement; refill.go: the lazy refill
//	key.go, identity.go, workspace.go, permission.go, window.go and the like: the things in memory
//	expiry.go     the one mechanism for what expires
//	freeze.go     which records changed, for a snapshot; snapshot.go: records out and in; digest.go
//	version.go    ledger versions; form.go: the forms of a value
//
// The files stand on floors: values and results, records, the record of changes, accounts, the other things, commands. A file
// refers to its own floor and to lower ones; scripts/tidy checks it.
//
// # Who may call
//
// A State has no lock of its own. Its owner (package cluster) calls Apply, Freeze and Restore under an exclusive lock, and the
// methods that only read (Peek, Answer, Digest, Stats) under at least a shared one. Results hold no reference to
// anything that changes later, so they may be read after the lock is gone.
//
// # Invariants
//
//   - A rate limit never lets more through than its limit; its windows are counted in integers and log time.
//   - A balance is never negative; all arithmetic on amounts is checked.
//   - Granted − withdrawn − charged equals the sum of all balances (modulo 2^64, see [Totals]).
//   - Every command checks everything before it writes anything: a refused command changes nothing.
//   - A state that breaks one of these panics: the node must stop rather than serve on.
//
// The rules are those of docs/contract.md; sections are cited where a rule is implemented.
package fsm
