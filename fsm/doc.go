// Package fsm is the credit ledger as a pure value: commands in, results out.
//
// A State holds workspaces, root keys, APIs, keys, identities and their credit records. [State.Apply] is the only way to
// change it; given the same batches in the same order it reaches the same state on every node, because it reads no clock,
// no randomness and no map in its iteration order. Time is the stamp that a batch carries, made by the leader that proposed it;
// identifiers and key hashes are made by whoever built the command.
//
// # Where a rule lives
//
//	apply.go      one batch: advance log time, dispatch each call, return one result per call
//	verify.go     the decision of keys.verifyKey, and who pays
//	credit.go     a balance: charge, set, increment, decrement; refill.go: the lazy refill
//	verify_ratelimit.go, limit.go  the decision of rate limits; window.go: how they count, and when that is dropped
//	auth.go       root keys, their permissions and workspaces
//	key.go, identity.go, api.go, workspace.go, ratelimit.go, namespace.go: the records and the commands that change them
//	reroll.go, migration.go: keys made from other keys, and from the hashes of another system
//	list.go, ordered.go: listing page by page; revoke.go: what operators end
//	permission.go, role.go, key_access.go   what keys may do; permission_query.go: the question whether they may
//	audit.go, audit_trail.go, audit_log.go   what commands changed, and for how long that is told
//	record.go     what is kept on disk of each record; freeze.go: the changed ones, for a snapshot; digest.go
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
//   - Granted − withdrawn − charged equals the sum of all balances (modulo 2^64, see [Books]).
//   - Every command checks everything before it writes anything: a refused command changes nothing.
//   - A state that breaks one of these panics: the node must stop rather than serve on.
//
// The rules are those of docs/contract.md; sections are cited where a rule is implemented.
package fsm
