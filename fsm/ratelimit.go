package fsm

// ratelimits returns the key's own rate limits, by name.
func (k *key) ratelimits() []Ratelimit {
	if k.details == nil {
		return nil
	}
	return k.details.ratelimits
}

// replaceRatelimits returns the new list of an identity. It does not change the identity.
func (i *identity) replaceRatelimits(f Field[[]Ratelimit]) ([]Ratelimit, *Refusal) {
	if f.State == Absent {
		return i.ratelimits, nil
	}
	if refusal := uniqueRatelimits(f.Value); refusal != nil {
		return nil, refusal
	}
	return checkRatelimits(f.Value, i.ratelimits)
}
