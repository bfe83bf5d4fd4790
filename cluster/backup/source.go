package backup

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/store"
)

// Pace says when the next slice of work may begin: see package turns.
type Pace interface {
	// Turn waits until a slice may begin, and returns how to end it.
	Turn(ctx context.Context) (end func(), err error)
	// Rest is called after a slice, with the time that it took.
	Rest(ctx context.Context, worked time.Duration) error
}

// A slice of work ends when it took sliceTime or has filled the buffer. So whatever comes meanwhile waits for a fraction of a millisecond.
const (
	sliceTime  = 250 * time.Microsecond
	sliceBytes = 32 << 10
	lookEvery  = 16 // records between two looks at the clock
)

// Source is the newest snapshot of a node.
type Source struct {
	Header  Header
	records *replica.Records
}

// Open opens the newest snapshot. The caller must close it soon: see store.View. build is the node's.
func Open(from *store.Store, build string, now time.Time) (*Source, error) {
	r, err := replica.OpenRecords(from)
	if err != nil {
		return nil, err
	}
	if r.ClusterID() == "" {
		return nil, errors.Join(errors.New("the ledger has no cluster yet"), r.Close())
	}
	whole := r.View().Whole()
	ledger := whole.Ledger()
	return &Source{records: r, Header: Header{
		ClusterID: r.ClusterID(), Index: r.Index(), Term: r.View().Term(), LedgerVersion: ledger.Version, RaisedBy: ledger.Build,
		Build: build, NodeID: from.NodeID(), CreatedAt: now.UnixMilli(), LogTime: r.Clock(),
		Digest: ledger.Digest, DigestDefinition: ledger.DigestDefinition, Records: whole.Count(),
	}}, nil
}

// Index is the index of the last entry that is in the snapshot.
func (s *Source) Index() uint64 { return s.Header.Index }

// Clock is the log time of that entry, in Unix ms.
func (s *Source) Clock() int64 { return s.Header.LogTime }

// Close ends the reading.
func (s *Source) Close() error { return s.records.Close() }

// Write writes the whole file. It takes a turn for each slice of work, and none while it waits for w. What it holds is one buffer.
func (s *Source) Write(ctx context.Context, w io.Writer, pace Pace) (err error) {
	p := &paced{ctx: ctx, to: w, pace: pace, buffer: make([]byte, 0, 2*sliceBytes)}
	if err := p.begin(); err != nil {
		return err
	}
	defer func() { p.stop() }()
	file, err := NewWriter(p, s.Header)
	if err != nil {
		return err
	}
	count := 0
	err = s.records.View().Whole().Records(func(key, value []byte) error {
		if err := file.Put(key, value); err != nil {
			return err
		}
		if count++; len(p.buffer) >= sliceBytes || count%lookEvery == 0 && time.Since(p.since) >= sliceTime {
			return p.pause()
		}
		return nil
	})
	if err == nil {
		err = file.End()
	}
	if err == nil {
		err = p.flush()
	}
	return err
}

// paced collects what one slice of work writes.
type paced struct {
	ctx    context.Context
	to     io.Writer
	pace   Pace
	buffer []byte
	end    func() // nil: there is no turn
	since  time.Time
}

// Write implements io.Writer.
func (p *paced) Write(b []byte) (int, error) {
	p.buffer = append(p.buffer, b...)
	return len(b), nil
}

func (p *paced) begin() (err error) {
	if p.end, err = p.pace.Turn(p.ctx); err != nil {
		p.end = nil
		return err
	}
	p.since = time.Now()
	return nil
}

func (p *paced) stop() {
	if p.end != nil {
		p.end()
		p.end = nil
	}
}

// flush ends the turn and writes the buffer. A large record may have made it larger; it does not stay so.
func (p *paced) flush() error {
	p.stop()
	_, err := p.to.Write(p.buffer)
	p.buffer = p.buffer[:0]
	if cap(p.buffer) > 8*sliceBytes {
		p.buffer = make([]byte, 0, 2*sliceBytes)
	}
	return err
}

// pause ends a slice and begins the next.
func (p *paced) pause() error {
	worked := time.Since(p.since)
	if err := p.flush(); err != nil {
		return err
	}
	if err := p.pace.Rest(p.ctx, worked); err != nil {
		return err
	}
	return p.begin()
}
