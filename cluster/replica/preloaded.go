package replica

import "github.com/creditd/creditd/store"

// Preloaded is the ledger of the present snapshot, if it was loaded before there is a Replica. The zero value has none.
type Preloaded struct{ received }

// Load is for store.Options. A snapshot that does not load is left to Restore, which says why.
func (p *Preloaded) Load(records store.RecordReader) {
	if state, err := load(records); err == nil {
		p.put(records.ID(), state)
	}
}
