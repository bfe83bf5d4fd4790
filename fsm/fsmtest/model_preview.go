package fsmtest

import "github.com/creditd/creditd/fsm"

// preview is contract 7.2: verify, and take it back.
func (t *Model) preview(root *rootKey, q *fsm.PreviewVerification) fsm.Result {
	if q.ByHash {
		if r := need(root, "api.*.verify_key_hash"); r != nil {
			return r
		}
	}
	takeBack := t.save()
	r := t.execute(root, q.Verification)
	takeBack()
	v, verified := r.(*fsm.Verdict)
	if !verified {
		return r
	}
	answer := &fsm.Preview{Verdict: *v}
	for _, k := range t.keys {
		if k.id == v.KeyID {
			answer.Payers = t.shownPayers(k)
		}
	}
	return answer
}

// shownPayers shows the identity first.
func (t *Model) shownPayers(k *key) []fsm.Payer {
	var identities, keys []fsm.Payer
	for _, a := range t.payers(k) {
		p := fsm.Payer{ID: k.id, Credits: fsm.Credits{Limited: true, Remaining: a.remaining, Refill: a.refill}}
		if i := t.identityOf(k); i != nil && a == &i.account {
			p.Identity, p.ID = true, i.id
			identities = append(identities, p)
			continue
		}
		keys = append(keys, p)
	}
	return append(identities, keys...)
}
