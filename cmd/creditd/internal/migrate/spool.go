package migrate

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"slices"

	"github.com/creditd/creditd/api/records"
)

// spooled is an export in a temporary file, and where each record stands in it: 24 bytes of memory for each.
type spooled struct {
	file    *os.File
	seed    maphash.Seed
	entries []entry // by hash
}

type entry struct {
	hash   uint64 // of kind and id
	from   int64
	length int32
	found  bool
}

// spool reads an export to its end, whose hash the reader checks.
func spool(export io.Reader) (s *spooled, err error) {
	reader, err := records.NewReader(export)
	if err != nil {
		return nil, err
	}
	s = &spooled{seed: maphash.MakeSeed()}
	if s.file, err = os.CreateTemp("", "creditd-verify-"); err != nil {
		return nil, err
	}
	if err := s.fill(reader); err != nil {
		return nil, errors.Join(err, s.close())
	}
	slices.SortFunc(s.entries, func(a, b entry) int { return cmp.Compare(a.hash, b.hash) })
	return s, nil
}

func (s *spooled) fill(reader *records.Reader) error {
	buffer, from := bufio.NewWriterSize(s.file, 1<<16), int64(0)
	for {
		r, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return buffer.Flush()
		}
		if err != nil {
			return err
		}
		text, err := json.Marshal(thingOf(r))
		if err != nil {
			return err
		}
		if _, err := buffer.Write(text); err != nil {
			return err
		}
		s.entries = append(s.entries, entry{hash: s.hash(r.Kind(), r.ID()), from: from, length: int32(len(text))})
		from += int64(len(text))
	}
}

func (s *spooled) hash(kind, id string) uint64 { return maphash.String(s.seed, kind+" "+id) }

// find returns a record, or nil, and keeps in mind that it was found.
func (s *spooled) find(kind, id string) (*thing, error) {
	hash := s.hash(kind, id)
	at, _ := slices.BinarySearchFunc(s.entries, hash, func(e entry, h uint64) int { return cmp.Compare(e.hash, h) })
	for ; at < len(s.entries) && s.entries[at].hash == hash; at++ {
		r, err := s.read(&s.entries[at])
		if err != nil {
			return nil, err
		}
		if r.Kind == kind && r.ID == id {
			s.entries[at].found = true
			return r, nil
		}
	}
	return nil, nil
}

func (s *spooled) read(e *entry) (*thing, error) {
	text := make([]byte, e.length)
	if _, err := s.file.ReadAt(text, e.from); err != nil {
		return nil, err
	}
	r := &thing{}
	return r, json.Unmarshal(text, r)
}

// rest visits the records that were not found.
func (s *spooled) rest(visit func(*thing) error) error {
	for i := range s.entries {
		if s.entries[i].found {
			continue
		}
		r, err := s.read(&s.entries[i])
		if err != nil {
			return err
		}
		if err := visit(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *spooled) close() error { return errors.Join(s.file.Close(), os.Remove(s.file.Name())) }
