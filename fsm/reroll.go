package fsm

func (s *State) hashTaken(h Hash) bool { return s.keyByHash[h] != nil || s.rootByHash[h] != nil }
