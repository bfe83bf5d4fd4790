// Package store holds everything a node keeps on disk: the data directory and
// its lock, raft's log and stable store, and the snapshot, which is one bbolt
// file that is updated in place. A record is an opaque key and an opaque value
// here; what they mean is the ledger's business.
//
// # The directory
//
//	LOCK                 held with flock while a process uses the directory; holds its pid
//	meta.json            layout version, node id, cluster id, log kind, phase, where log and vote ended; with a checksum
//	stable.db            raft's term and vote (raft-boltdb used as a stable store only)
//	log.db  or  wal/     raft's log, by raft-boltdb or by raft-wal; never both
//	state.db             the snapshot: every record, and the log position it stands for
//	state.db.incoming.N  a snapshot being received or rebuilt; removed at Open
//	DIVERGED             the ledger differed from that of the other nodes, which says where; Open refuses
//	*.tmp                a file being created; removed or replaced at Open
//
// # Invariants
//
//   - A node id is made once, with its directory. A directory that lost a part of
//     what raft had written is refused, never refilled: a voter without memory
//     could vote twice in one term, or take back an entry it acknowledged.
//   - Every file appears whole or not at all: written under another name, synced,
//     renamed, and the directory synced.
//   - Every record, log entry, vote and header carries a CRC32C, and state.db also a count
//     and a sum over all records. Damage is reported by the file's name; damaged
//     content is never returned.
//   - A file is walked by our own bounds-checked reader before bbolt maps it:
//     bbolt trusts its pages, and a bad one would end the process (see pages.go).
//   - After one failed write nothing more is written: a second fsync may report
//     success for data that the first one lost.
//
// # One file as the snapshot
//
// raft asks for a store of many snapshots. This one holds exactly one, replaced
// either by a transaction that writes only what changed (SnapshotSink.Put and
// Delete) or by a whole file (SnapshotSink.Write, how raft installs a snapshot
// from the leader). Readers keep the version they opened: a bbolt read
// transaction for the first, the replaced file itself for the second. If the
// newest version cannot be read there is no older one to fall back to, so the
// node must be rebuilt from its peers.
//
// A change set only makes sense on top of the snapshot it was collected against.
// Whoever persists one compares SnapshotSink.Base with the id it last restored
// or wrote, and calls Reset and writes everything when they differ.
//
// # Who may call
//
// Unix only: the lock is flock, and bbolt's address space reserve is free there.
//
// One process, one Store per directory. All methods may be called from any
// goroutine; a sink or a reader belongs to one goroutine at a time. Log, Stable
// and Snapshots are for raft. Stop raft before Close.
//
// Lock order: snapshots.writeMu, then snapshots.mu. Store.mu guards meta.json and
// is never held together with them.
package store
