package mirror

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/creditd/creditd/cmd/creditd/internal/shadow"
)

func (e *exchange) bytes() int64 { return int64(len(e.request)+e.answer.Cap()) + 512 }

// offer hands an exchange to the background, or drops it.
func (m *Mirror) offer(e *exchange) {
	if m.queued.Add(e.bytes()) <= m.conf.QueueBytes {
		select {
		case m.queue <- e:
			return
		default:
		}
	}
	m.drop(e)
}

func (m *Mirror) drop(e *exchange) {
	m.queued.Add(-e.bytes())
	m.count.dropped.Add(1)
}

// Close waits until everything that was offered is recorded and copied. Once ctx is done, copies that wait are dropped, those under way end,
// and Close returns an error. No request may come any more.
func (m *Mirror) Close(ctx context.Context) error {
	defer m.endCopies()
	close(m.queue)
	select {
	case <-m.ended:
		return nil
	case <-ctx.Done():
	}
	m.endCopies()
	select {
	case <-m.ended:
		return errors.New("there was no time for all copies; the others were dropped")
	case <-time.After(recorderGrace):
		return errors.New("nobody takes the recording; what waited is lost")
	}
}

// recorderGrace is for a recording to disk. A pipe that nobody reads needs it in vain.
const recorderGrace = time.Second

// work records in the order in which the primary answered, and passes on to those who copy.
func (m *Mirror) work() {
	defer close(m.ended)
	var copying sync.WaitGroup
	for range m.conf.Copies {
		copying.Add(1)
		go func() {
			defer copying.Done()
			for e := range m.copies {
				m.copy(e)
			}
		}()
	}
	out := bufio.NewWriter(m.conf.Record)
	for e := range m.queue {
		m.record(e, out)
		if len(m.queue) == 0 {
			m.flush(out)
		}
	}
	m.flush(out)
	close(m.copies)
	copying.Wait()
}

// record writes a line, and offers the exchange for copying.
func (m *Mirror) record(e *exchange, out *bufio.Writer) {
	line, err := e.line()
	if err != nil {
		m.queued.Add(-e.bytes())
		m.count.unreadable.Add(1)
		return
	}
	if m.conf.Record != nil {
		if _, err := out.Write(append(line, '\n')); err == nil {
			m.count.recorded.Add(1)
		}
	}
	if m.conf.Copy == nil || m.conf.OnlyValid && !e.valid {
		m.queued.Add(-e.bytes())
		return
	}
	select {
	case m.copies <- e:
	default:
		m.drop(e)
	}
}

// flush tells once of a recording that cannot be written. bufio keeps the error, so nothing is written after it.
func (m *Mirror) flush(out *bufio.Writer) {
	if m.conf.Record == nil || out.Buffered() == 0 {
		return
	}
	if err := out.Flush(); err != nil {
		m.conf.Logger.Error("the recording cannot be written; requests go on", "error", err)
		m.conf.Record = nil
	}
}

// verification are the fields of a request that a recording keeps.
type verification struct {
	Key     string `json:"key"`
	Credits *struct {
		Cost *int64 `json:"cost"`
	} `json:"credits"`
	Permissions string          `json:"permissions"`
	Ratelimits  json.RawMessage `json:"ratelimits"`
}

type verdict struct {
	Data *struct {
		Valid   bool   `json:"valid"`
		Code    string `json:"code"`
		Credits *int64 `json:"credits"`
	} `json:"data"`
}

var errNoVerdict = errors.New("not a verification with its verdict")

// line is the record of an exchange. It has no key, and so no migrationId, which finds keys by their text.
func (e *exchange) line() ([]byte, error) {
	var v verification
	if err := json.Unmarshal(e.request, &v); err != nil {
		return nil, err
	}
	answer := io.Reader(bytes.NewReader(e.answer.Bytes()))
	switch e.encoding {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(bytes.NewReader(e.answer.Bytes()))
		if err != nil {
			return nil, err
		}
		answer = io.LimitReader(unpacked, 16*maxBody)
	default:
		return nil, errors.New("the answer is compressed in a way that is not known here")
	}
	var told verdict
	if err := json.NewDecoder(answer).Decode(&told); err != nil {
		return nil, err
	}
	if v.Key == "" || told.Data == nil || told.Data.Code == "" {
		return nil, errNoVerdict
	}
	e.valid = told.Data.Valid
	record := shadow.Record{
		Time: e.at.UnixMilli(), KeyHash: shadow.HashOf(v.Key), Permissions: v.Permissions, Ratelimits: v.Ratelimits,
		Valid: &told.Data.Valid, Code: told.Data.Code, Remaining: told.Data.Credits,
	}
	if v.Credits != nil {
		record.Cost = v.Credits.Cost
	}
	return json.Marshal(record)
}

// copy sends a copy once.
func (m *Mirror) copy(e *exchange) {
	if m.copying.Err() != nil {
		m.drop(e)
		return
	}
	defer m.queued.Add(-e.bytes())
	ctx, cancel := context.WithTimeout(m.copying, m.conf.CopyTimeout)
	defer cancel()
	valid, err := m.conf.Copy(ctx, e.request)
	if err != nil {
		failed := &m.count.copyFailed
		if errors.Is(err, ErrUnknown) {
			failed = &m.count.copyUnknown
		}
		failed.Add(1)
		m.tellFailure(err)
		return
	}
	m.count.copied.Add(1)
	if valid != e.valid {
		m.count.copyDiffers.Add(1)
	}
}

// failuresTold is how often the reason of a failed copy is told: a system that is gone fails all.
const failuresTold = 10 * time.Second

func (m *Mirror) tellFailure(err error) {
	now, told := time.Now().UnixNano(), m.failureTold.Load()
	if (told == 0 || now-told >= int64(failuresTold)) && m.failureTold.CompareAndSwap(told, now) {
		m.conf.Logger.Warn("a copy has no answer; others may have none since the last such line", "error", err)
	}
}
