package store

import "path/filepath"

// SaveDepartures keeps which nodes left the cluster, as JSON whose content this package does not know.
func (s *Store) SaveDepartures(content []byte) error { return s.saveChecked(departuresName, content) }

// Departures returns what SaveDepartures kept, nil if nothing was. The other nodes know the same, so a damaged file only costs a warning.
func (s *Store) Departures() ([]byte, error) {
	path := filepath.Join(s.dir, departuresName)
	content, damage, err := loadChecked(path)
	if damage != nil {
		s.logger.Warn("the file that says which nodes left the cluster is damaged; the other nodes are asked", "file", path, "err", damage)
		return nil, nil
	}
	return content, err
}
