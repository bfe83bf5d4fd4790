package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// SaveDepartures keeps which nodes left the cluster, as JSON whose content this package does not know.
func (s *Store) SaveDepartures(content []byte) (err error) {
	if err := s.watchdog.admit(); err != nil {
		return err
	}
	path := filepath.Join(s.dir, departuresName)
	defer s.watchdog.finish(s.watchdog.begin(callStableWrite, 0), path, "writing", &err)
	return writeFileDurably(path, fmt.Appendf(nil, "{\"content\":%s,\"crc32c\":\"%08x\"}\n", content, checksum(content)))
}

// Departures returns what SaveDepartures kept, nil if nothing was. The other nodes know the same, so a damaged file only costs a warning.
func (s *Store) Departures() ([]byte, error) {
	path := filepath.Join(s.dir, departuresName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, ioError(path, "reading", err)
	}
	var sealed sealedIdentity
	if err := json.Unmarshal(data, &sealed); err != nil || fmt.Sprintf("%08x", checksum(sealed.Content)) != sealed.CRC32C {
		s.logger.Warn("the file that says which nodes left the cluster is damaged; the other nodes are asked", "file", path)
		return nil, nil
	}
	return sealed.Content, nil
}
