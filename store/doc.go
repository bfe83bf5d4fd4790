// Package store manages everything that a node keeps on disk: the data directory and its lock, raft's log and stable store, and the
// snapshot. A record is an opaque key and an opaque value here; the ledger knows what they mean.
//
// # The directory
//
//	LOCK                 locked with flock while a process uses the directory; contains its pid
//	meta.json            layout and ledger version, node id, cluster id, kind of log, phase, shutdown marker; with a checksum
//	stable.db            raft's term and vote (raft-boltdb used as a stable store only)
//	log.db  or  wal/     raft's log, in raft-boltdb or in raft-wal; never both
//	state.db             the snapshot: all records, and the log index and term of the last entry in them
//	state.db.incoming.N  a snapshot that is being received or rebuilt; removed at Open
//	DIVERGED             the ledger differed from that of the other nodes; Open refuses the directory
//	*.tmp                a file that is being created; removed or replaced at Open
//
// # Invariants
//
//   - A node id is drawn once, with its directory. Open refuses a directory that lost a part of what raft had written, and never refills it: a
//     voter that forgot could vote twice in one term, or take back an entry that it acknowledged.
//   - meta.json names a ledger version before anything else in the directory has it. A build that does not read that version changes nothing.
//   - Files are created and replaced atomically: written under another name, synced, renamed, and the directory synced.
//   - Every record, log entry, vote and header has a CRC32C. state.db also has a count and a sum of all records. An error about damage
//     names the file. Damaged content is never returned.
//   - Before bbolt maps a file, a bounds-checked reader of our own checks it (pages.go).
//   - After a failed write there are no further writes: a second fsync may succeed although the first one lost data.
//
// # One file as the snapshot
//
// raft asks for a store of several snapshots. This one has exactly one. It is replaced by a transaction that writes only what changed
// (SnapshotSink.Put and Delete), or by a whole file (SnapshotSink.Write, when raft installs the leader's snapshot). Readers keep the
// version that they opened. There is no older version, so a node whose snapshot cannot be read must be rebuilt from its peers.
//
// A change set is relative to one snapshot. Its writer compares SnapshotSink.Base with the id of the snapshot that it last restored or
// wrote. If they differ, the writer calls Reset and writes everything, or gives up.
//
// # Who may call
//
// The package works on Unix only: the lock is flock, and bbolt's reserve of address space is free there.
//
// A directory has one process and one Store. All methods may be called from any goroutine. A sink or a reader belongs to one goroutine at a
// time. Log, Stable and Snapshots are for raft. Stop raft before Close.
//
// Lock order: snapshots.writeMu, then snapshots.mu. Store.mu guards meta.json and is never held together with them.
package store
