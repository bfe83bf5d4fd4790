package fsm

// ratelimits are the key's own ones, by name.
func (k *key) ratelimits() []Ratelimit {
	if k.details == nil {
		return nil
	}
	return k.details.ratelimits
}

// replaceRatelimits returns what the list of an identity becomes, without changing it.
func (i *identity) replaceRatelimits(f Field[[]Ratelimit]) ([]Ratelimit, *Refusal) {
	if f.State == Absent {
		return i.ratelimits, nil
	}
	if refusal := uniqueRatelimits(f.Value); refusal != nil {
		return nil, refusal
	}
	return checkRatelimits(f.Value, i.ratelimits)
}
