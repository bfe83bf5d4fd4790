package fsm

// What the parts of a verdict take in an answer at most, beside their texts.
const (
	shownPermission = 128 + 3 // with its text
	shownRole       = 3
	shownRatelimit  = 256
)

// VerdictBytes is about how many bytes the texts and lists of verdicts take in an answer, rather too many. A key counts as often as it is named.
func (s *State) VerdictBytes(hashes []Hash) (bytes int64) {
	for _, h := range hashes {
		if bytes > maxShown {
			break // the ledger refuses further items
		}
		if k := s.keyByHash.find(h); k != nil {
			bytes += int64(k.verdictBytes(s.shownLinks()))
		}
	}
	return bytes
}

func (k *key) verdictBytes(links int) int {
	n := len(k.name()) + len(k.meta()) + shownRatelimit*len(k.ratelimits())
	if i := k.liveIdentity(); i != nil {
		n += len(i.externalID) + len(i.meta) + 2*shownRatelimit*len(i.ratelimits) // of the identity, and checked
	}
	access := k.access()
	for _, r := range access.roles {
		n += shownRole + len(r.name)
	}
	return n + shownPermission*min(access.held(), links)
}
