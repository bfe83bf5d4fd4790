package fsm

import "github.com/creditd/creditd/fsm/fields"

// RaiseLedgerVersion raises the ledger version. From then on, commands, fields and kinds that need the version are allowed. The leader
// sends it after every member has announced that it reads the version. A ledger at that version or a newer one stays unchanged.
type RaiseLedgerVersion struct {
	Version uint64
	Build   string // of the leader; an older build names it as one that reads the version
}

var raiseLedgerVersionType = commandType{kind: 71, since: 1, system: true, create: create[RaiseLedgerVersion]}

func (*RaiseLedgerVersion) is() *commandType { return &raiseLedgerVersionType }

// fields fails in a build that does not read the version: such a build must stop before it applies anything.
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
		if s.version < thirdRules && c.Version >= thirdRules {
			s.endOverlong()
		}
		s.version, s.raisedBy = c.Version, c.Build
	}
	return done
}
