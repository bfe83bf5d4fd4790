package replica

import (
	"errors"
	"runtime"
	"sync"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/store"
)

// load makes a ledger of a snapshot's records and checks its digest and its totals. Reading, decoding and building go on at the same time.
func load(records store.RecordReader) (*fsm.State, error) {
	want, err := codec.DecodeDigest(records.Ledger().Digest)
	if err != nil {
		return nil, err
	}
	loader := fsm.NewLoader()
	for first := range 256 {
		if n := records.CountOf(byte(first)); n > 0 {
			loader.Expect(fsm.Kind(first), n)
		}
	}
	if err := loadInto(loader, records); err != nil {
		return nil, err
	}
	return loader.Finish(want)
}

const (
	maxDecoders    = 4
	spareChunks    = 8 // of each decoder: what may wait for the builder
	recordsInChunk = 256
	bytesInChunk   = 64 << 10
)

// chunk is a part of a snapshot on its way. Its memory is used again and again.
type chunk struct {
	bytes   []byte // keys and values
	ends    []int  // of each key and each value in bytes
	records []fsm.Record
	decoded chan error // after the last record
	added   fsm.Added  // what was built of the records
}

func (c *chunk) put(key, value []byte) {
	c.bytes = append(c.bytes, key...)
	c.ends = append(c.ends, len(c.bytes))
	c.bytes = append(c.bytes, value...)
	c.ends = append(c.ends, len(c.bytes))
}

func (c *chunk) full() bool { return len(c.ends) >= 2*recordsInChunk || len(c.bytes) >= bytesInChunk }

// decode fills records. It uses the memory of those that the chunk had before.
func (c *chunk) decode(d *codec.RecordDecoder) error {
	spare, from := c.records, 0
	c.records = c.records[:0]
	for i := 0; i < len(c.ends); i += 2 {
		key, value := c.bytes[from:c.ends[i]], c.bytes[c.ends[i]:c.ends[i+1]]
		from = c.ends[i+1]
		var old fsm.Record
		if at := i / 2; at < len(spare) {
			old = spare[at]
		}
		r, err := d.Decode(key, value, old)
		if err != nil {
			return err
		}
		c.records = append(c.records, r)
	}
	return nil
}

var errGivenUp = errors.New("the records are not wanted any more")

// conveyor takes chunks from the reader to the decoders, on to the loader, in order, and to the digest.
type conveyor struct {
	free, raw, order, built chan *chunk
	givenUp                 chan struct{}
}

// loadInto loads each record of a snapshot. Meanwhile other goroutines read and decode the next ones, and add up the digest of the last ones.
func loadInto(loader *fsm.Loader, records store.RecordReader) error {
	decoders := max(1, min(maxDecoders, runtime.GOMAXPROCS(0)-1))
	chunks := decoders * spareChunks
	c := &conveyor{
		free: make(chan *chunk, chunks), raw: make(chan *chunk, chunks), order: make(chan *chunk, chunks), built: make(chan *chunk, chunks),
		givenUp: make(chan struct{}),
	}
	for range chunks {
		c.free <- &chunk{decoded: make(chan error, 1)}
	}
	var read error
	var sum fsm.Digest
	var workers sync.WaitGroup
	workers.Go(func() { read = c.read(records) })
	workers.Go(func() { sum = c.sum() })
	for range decoders {
		workers.Go(c.decode)
	}
	err := c.build(loader)
	workers.Wait()
	loader.Sum(sum)
	if err == nil {
		err = read
	}
	return err
}

// read puts the records into chunks.
func (c *conveyor) read(records store.RecordReader) error {
	defer close(c.order)
	defer close(c.raw)
	var filling *chunk
	err := records.Records(func(key, value []byte) error {
		if filling == nil {
			select {
			case filling = <-c.free:
			case <-c.givenUp:
				return errGivenUp
			}
			filling.bytes, filling.ends = filling.bytes[:0], filling.ends[:0]
		}
		if filling.put(key, value); filling.full() {
			c.order <- filling
			c.raw <- filling
			filling = nil
		}
		return nil
	})
	if filling != nil && err == nil {
		c.order <- filling
		c.raw <- filling
	}
	return err
}

func (c *conveyor) decode() {
	var d codec.RecordDecoder
	for one := range c.raw {
		one.decoded <- one.decode(&d)
	}
}

// build gives the records to the loader, until the first error.
func (c *conveyor) build(loader *fsm.Loader) (err error) {
	defer close(c.built)
	for one := range c.order {
		failed := <-one.decoded
		for _, r := range one.records {
			if failed == nil && err == nil {
				failed = loader.Add(r)
			}
		}
		if failed != nil && err == nil {
			err = failed
			close(c.givenUp)
		}
		one.added = loader.Added(one.added)
		c.built <- one
	}
	return err
}

// sum adds up the digests.
func (c *conveyor) sum() (sum fsm.Digest) {
	for one := range c.built {
		sum = sum.Plus(one.added.Digest())
		c.free <- one
	}
	return sum
}
