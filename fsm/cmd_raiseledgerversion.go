package fsm

import "github.com/creditd/creditd/fsm/fields"

// RaiseLedgerVersion raises the ledger version: from then on commands, fields and kinds that need it are allowed. Sent by the leader, once
// every member has announced that it reads the version. A ledger that has the version, or a newer one, stays as it is.
type RaiseLedgerVersion struct {
	Version uint64
	Build   string // of the leader: a build that reads the version, for the message of one that does not
}

var raiseLedgerVersionType = commandType{kind: 71, since: 1, system: true, create: create[RaiseLedgerVersion]}

func (*RaiseLedgerVersion) is() *commandType { return &raiseLedgerVersionType }

// fields fails in a build that does not read the version: it must stop before it applies anything.
func (c *RaiseLedgerVersion) fields(v *fields.Visitor) {
	v.Uint(&c.Version)
	v.String(&c.Build)
	if v.Reading() && v.Err() == nil {
		if err := CheckLedgerVersion("the ledger", c.Version, c.Build); err != nil {
			v.Fail(err)
		}
	}
}

func (c *RaiseLedgerVersion) apply(s *State, _ *rootKey) Result {
	if c.Version > s.version {
		s.version, s.raisedBy = c.Version, c.Build
	}
	return done
}
