package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkedFile is the form of small files in JSON: the bytes of the content and their CRC32C in hexadecimal.
type checkedFile struct {
	Content json.RawMessage `json:"content"`
	CRC32C  string          `json:"crc32c"`
}

// encodeChecked returns a file with a content, which is JSON.
func encodeChecked(content []byte) []byte {
	return fmt.Appendf(nil, "{\"content\":%s,\"crc32c\":\"%08x\"}\n", content, checksum(content))
}

// decodeChecked returns the content of a file. The error says what is wrong with it.
func decodeChecked(file []byte) ([]byte, error) {
	var f checkedFile
	if err := decodeStrictly(file, &f); err != nil {
		return nil, fmt.Errorf("the content cannot be decoded (%w)", err)
	}
	if f.Content == nil {
		return nil, errors.New("the content is missing")
	}
	if got := fmt.Sprintf("%08x", checksum(f.Content)); got != f.CRC32C {
		return nil, fmt.Errorf("the checksum is %s but the content has %s", f.CRC32C, got)
	}
	return f.Content, nil
}

// saveChecked writes a small file of the data directory.
func (s *Store) saveChecked(name string, content []byte) (err error) {
	if err := s.watchdog.admit(); err != nil {
		return err
	}
	path := filepath.Join(s.dir, name)
	defer s.watchdog.finish(s.watchdog.begin(callStableWrite, 0), path, "writing", &err)
	return writeFileDurably(path, encodeChecked(content))
}

// loadChecked returns what saveChecked kept, nil if nothing was. damage says what is wrong with the file.
func loadChecked(path string) (content []byte, damage, err error) {
	file, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, ioError(path, "reading", err)
	}
	content, damage = decodeChecked(file)
	return content, damage, nil
}
