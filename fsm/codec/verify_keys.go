package codec

import (
	"fmt"

	"github.com/creditd/creditd/fsm"
)

// The kinds about many verifications at once. Their numbers are in logs: append only.
const (
	verifyKeysKind byte = 80 // command
	verdictsKind   byte = 80 // result
)

func (c *coder) verifyKeys(m *fsm.VerifyKeys, verifications *slab) {
	c.bool(&m.Atomic)
	list(c, &m.Items, func(item *fsm.Verification) {
		c.once(&item.Once)
		if !c.reading {
			switch item.Command.(type) {
			case *fsm.VerifyKey, *fsm.VerifyMigrated:
			default:
				panic(fmt.Sprintf("codec: a verification of type %T", item.Command))
			}
		} else if len(c.buf) > 0 {
			switch c.buf[0] {
			case verifyKeyKind, verifyKeyExtendedKind, verifyMigratedKind:
			default:
				c.fail(fmt.Errorf("a verification is a command of kind %d", c.buf[0]))
				return
			}
		}
		c.command(&item.Command, verifications)
	})
}

func (c *coder) verdicts(m *fsm.Verdicts) {
	c.bool(&m.Passed)
	list(c, &m.Results, func(r *fsm.Result) {
		if c.reading && len(c.buf) > 0 && c.buf[0] != verdictKind && c.buf[0] != refusalKind {
			c.fail(fmt.Errorf("a verification was answered with a result of kind %d", c.buf[0]))
			return
		}
		c.result(r)
	})
}
