package migrate

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

// Report writes problems, one JSON object per line, and a summary at the end. A nil Report writes nothing.
type Report struct {
	file    *os.File
	buffer  *bufio.Writer
	written int64
	synced  int64 // of written
}

// OpenReport opens the file and drops what stands after the first keep bytes: a resumed pass finds it again.
func OpenReport(name string, keep int64) (*Report, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		if info.Size() < keep {
			_ = file.Close()
			return nil, fmt.Errorf("%s has %d bytes, and the state says %d: is it the report of this pass?", name, info.Size(), keep)
		}
		if err := file.Truncate(keep); err != nil {
			_ = file.Close()
			return nil, err
		}
		if _, err := file.Seek(keep, io.SeekStart); err != nil {
			_ = file.Close()
			return nil, err
		}
	}
	return &Report{file: file, buffer: bufio.NewWriter(file), written: keep}, nil
}

func (r *Report) line(value any) error {
	if r == nil {
		return nil
	}
	text, err := json.Marshal(value)
	if err == nil {
		_, err = r.buffer.Write(append(text, '\n'))
		r.written += int64(len(text)) + 1
	}
	return err
}

func (r *Report) problem(p unkey.Problem) error {
	return r.line(struct {
		Problem unkey.Problem `json:"problem"`
	}{p})
}

func (r *Report) difference(d Difference) error {
	return r.line(struct {
		Difference Difference `json:"difference"`
	}{d})
}

func (r *Report) end(s *Summary) error {
	if err := r.line(struct {
		Summary *Summary `json:"summary"`
	}{s}); err != nil {
		return err
	}
	_, err := r.flush()
	return err
}

// flush returns how long the report is.
func (r *Report) flush() (int64, error) {
	if r == nil {
		return 0, nil
	}
	return r.written, r.buffer.Flush()
}

// sync returns how long the report is, once that much is on the disk.
func (r *Report) sync() (int64, error) {
	length, err := r.flush()
	if r == nil || err != nil || length == r.synced {
		return length, err
	}
	if err := r.file.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) { // a pipe cannot
		return 0, err
	}
	r.synced = length
	return length, nil
}

// Close ends the report.
func (r *Report) Close() error {
	if r == nil {
		return nil
	}
	_, err := r.flush()
	if closed := r.file.Close(); err == nil {
		err = closed
	}
	return err
}
