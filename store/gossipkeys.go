package store

import "path/filepath"

// SaveGossipKeys keeps the keys of gossip, as JSON whose content this package does not know. Only the owner of the directory can read them.
func (s *Store) SaveGossipKeys(content []byte) error { return s.saveChecked(gossipKeysName, content) }

// GossipKeys returns what SaveGossipKeys kept, nil if nothing was. A node that guessed its keys would find nobody, so damage is an error.
func (s *Store) GossipKeys() ([]byte, error) {
	path := filepath.Join(s.dir, gossipKeysName)
	content, damage, err := loadChecked(path)
	if damage != nil {
		return nil, &Error{Kind: KindFailed, Path: path,
			Message: "the gossip keys are damaged: copy the file from another node, or remove it to use those of the settings", Err: damage}
	}
	return content, err
}
