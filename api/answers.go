package api

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/creditd/creditd/fsm"
)

const (
	// freeAnswerBytes is up to what an answer is not counted: the buffers of a connection take about as much.
	freeAnswerBytes = 16 << 10
	// largeAnswerBytes is from when on a request for such an answer is large.
	largeAnswerBytes = 64 << 10
)

// bulk is a request of many items, each of which gets an answer.
type bulk interface{ bulkSize() bulkSize }

// bulkSize is what is known of an answer to many items before anything is executed. The zero value is that of another request.
type bulkSize struct {
	items int64 // 0: the size does not depend on what the ledger holds
	usual int64 // bytes of the answer
	// keys names the keys whose verdicts are the answer. As long as the caller's answers are not known, the ledger says how large they are.
	keys func() []fsm.Hash
}

// bulkSizeOf takes a copy, so that other requests need not be on the heap.
func bulkSizeOf[Request any](r Request) bulkSize { return any(&r).(bulk).bulkSize() }

// admit refuses a request whose answer would have no room, before anything is executed.
func (c *call) admit(size bulkSize) error {
	c.items = size.items
	mean := c.api.answerSizes.expected(c.endpoint, c.actor)
	usual := max(mean*max(1, size.items), size.usual)
	if large := c.endpoint.paged || usual >= largeAnswerBytes; large && c.api.memoryShort() {
		return c.api.memoryFull()
	}
	expected := usual
	if size.keys != nil && mean == 0 {
		expected += c.api.node.VerdictBytes(size.keys())
	}
	if expected > freeAnswerBytes && !c.answer.grow(c.api.answers, c.actor, expected) {
		return c.api.answersFull()
	}
	return nil
}

// holdAnswer counts an answer of n bytes so far. Room for the answer to a question may be refused. A command was executed, so its answer is
// sent in any case.
func (c *call) holdAnswer(n int) error {
	c.breathe(n)
	if n <= freeAnswerBytes || c.answer.grow(c.api.answers, c.actor, int64(n)) {
		return nil
	}
	if !c.proposed {
		return c.api.answersFull()
	}
	c.answer.owe(c.api.answers, c.actor, int64(n))
	return nil
}

// deliver sends the body of an answer. A client that takes it too slowly is cut off.
func (c *call) deliver(body []byte) {
	if len(body) <= freeAnswerBytes {
		_, _ = c.gin.Writer.Write(body) // a client that is gone does not miss it
		return
	}
	c.answer.shrink(int64(len(body)))
	until := time.Now().Add(c.api.ratePatience + c.api.earned(len(body)))
	if conn := connectionOf(c.gin.Writer); conn != nil {
		_ = conn.SetWriteDeadline(until) // a closed one fails the write, too
	}
	_, err := c.gin.Writer.Write(body)
	if errors.Is(err, os.ErrDeadlineExceeded) || err != nil && !time.Now().Before(until) { // HTTP/2 names another error
		c.api.metrics.slowReaders.Inc()
		c.cut(statusClientClosedRequest)
	}
}

// earned is how long a client may take for n bytes.
func (a *API) earned(n int) time.Duration {
	return time.Duration(n) * time.Second / time.Duration(a.minRate)
}

// answerSizes remembers the mean size of recent answers, so that room for the next one is set aside before it is made. It knows only the
// callers and endpoints whose answers are large, and the mean of an item for bulk requests.
type answerSizes struct {
	known atomic.Int64 // entries of mean: spares all others the lock

	mu   sync.Mutex
	mean map[answerSource]int64
}

type answerSource struct {
	endpoint *endpoint
	caller   fsm.Hash
}

// maxAnswerSources bounds what is remembered. Beyond it, any one is forgotten.
const maxAnswerSources = 4096

func (s *answerSizes) expected(e *endpoint, caller fsm.Hash) int64 {
	if s.known.Load() == 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mean[answerSource{e, caller}]
}

// learn remembers an answer of n bytes, to so many items if the request was bulk. The first large one counts in full, later ones by an eighth.
func (s *answerSizes) learn(e *endpoint, caller fsm.Hash, n, items int64) {
	if items == 0 && n <= freeAnswerBytes && s.known.Load() == 0 {
		return
	}
	if items > 0 {
		n = n/items + 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	source := answerSource{e, caller}
	mean, known := s.mean[source]
	if known {
		mean += (n - mean) / 8
	} else {
		mean = n
	}
	if mean <= freeAnswerBytes && items == 0 {
		delete(s.mean, source)
	} else {
		if !known && len(s.mean) == maxAnswerSources {
			for any := range s.mean {
				delete(s.mean, any)
				break
			}
		}
		s.mean[source] = mean
	}
	s.known.Store(int64(len(s.mean)))
}
