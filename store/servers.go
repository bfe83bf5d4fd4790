package store

import "github.com/hashicorp/raft"

// Servers returns the servers of the last configuration that raft wrote here, none if it wrote none. The configuration may not be committed.
func (s *Store) Servers() ([]raft.Server, error) {
	var latest raft.Configuration
	var from uint64
	list, err := s.snaps.List()
	if err != nil {
		return nil, err
	}
	if len(list) > 0 {
		latest, from = list[0].Configuration, list[0].Index
	}
	first, err := s.log.FirstIndex()
	if err != nil {
		return nil, err
	}
	last, err := s.log.LastIndex()
	if err != nil {
		return nil, err
	}
	for i := last; i >= max(first, from+1) && i > 0; i-- {
		var entry raft.Log
		if err := s.log.GetLog(i, &entry); err != nil {
			return nil, err
		}
		if entry.Type == raft.LogConfiguration {
			return raft.DecodeConfiguration(entry.Data).Servers, nil
		}
	}
	return latest.Servers, nil
}
