package fsm

// PreviewVerification asks what a verification would be answered, and changes nothing. See contract 7.2.
type PreviewVerification struct {
	Verification Command // *VerifyKey or *VerifyMigrated
	ByHash       bool    // the caller has the hash of the key, and perhaps not the key
}

// answer checks the permission for hashes before it looks the key up. The permission to verify it decides like that of a verification.
func (q *PreviewVerification) answer(s *State, root *rootKey) Result {
	if q.ByHash && !root.may(VerifyKeyHashPermission, "") {
		return VerifyKeyHashPermission.missing("")
	}
	d, refusal := s.previewed(root, q.Verification)
	if refusal != nil {
		return refusal
	}
	p := &Preview{Payers: d.showPayers(s.clock)}
	if d.debits() {
		d.remaining -= d.cost
	}
	d.show(&p.Verdict, s.clock)
	return p
}

func (s *verifier) previewed(root *rootKey, c Command) (d decision, refusal *Refusal) {
	if m, migrated := c.(*VerifyMigrated); migrated {
		d, refusal, _ = s.planMigratedKey(root, m, nil)
		return d, refusal
	}
	return s.decide(root, c.(*VerifyKey), nil)
}

// showPayers returns the balances before the debit. That of an orphaned key is a 0 of the key.
func (d *decision) showPayers(now int64) (list []Payer) {
	for _, c := range []*credit{d.payers.first, d.payers.second} {
		if c == nil {
			continue
		}
		p := Payer{Identity: c.identity, ID: c.owner, Credits: c.show(now)}
		if c.owner == "" {
			p.ID = d.key.id
		}
		list = append(list, p)
	}
	return list
}
