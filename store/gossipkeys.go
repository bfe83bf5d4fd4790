package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// SaveGossipKeys keeps the keys of gossip, as JSON whose content this package does not know. Only the owner of the directory can read them.
func (s *Store) SaveGossipKeys(content []byte) (err error) {
	if err := s.watchdog.admit(); err != nil {
		return err
	}
	path := filepath.Join(s.dir, gossipKeysName)
	defer s.watchdog.finish(s.watchdog.begin(callStableWrite, 0), path, "writing", &err)
	return writeFileDurably(path, fmt.Appendf(nil, "{\"content\":%s,\"crc32c\":\"%08x\"}\n", content, checksum(content)))
}

// GossipKeys returns what SaveGossipKeys kept, nil if nothing was. A node that guessed its keys would find nobody, so damage is an error.
func (s *Store) GossipKeys() ([]byte, error) {
	path := filepath.Join(s.dir, gossipKeysName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, ioError(path, "reading", err)
	}
	var sealed sealedIdentity
	if err := json.Unmarshal(data, &sealed); err != nil || fmt.Sprintf("%08x", checksum(sealed.Content)) != sealed.CRC32C {
		return nil, &Error{Kind: KindFailed, Path: path,
			Message: "the gossip keys are damaged: copy the file from another node, or remove it to use those of the settings"}
	}
	return sealed.Content, nil
}
