package peer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// quickRetry keeps tests that break connections from waiting for backoff.
var quickRetry = ClientConfig{MinBackoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond}

// ledger counts what a handler saw, by the number in the payload.
type ledger struct {
	mu   sync.Mutex
	seen map[uint64]int
}

func (l *ledger) note(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen = make(map[uint64]int)
	}
	l.seen[binary.BigEndian.Uint64(r.Payload)]++
}

func (l *ledger) count(n uint64) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen[n]
}

func numbered(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// result is the end of a call made in the background.
type result struct {
	payload []byte
	err     error
}

func goCall(ctx context.Context, c *Client, payload []byte) <-chan result {
	ch := make(chan result, 1)
	go func() {
		p, err := c.Call(ctx, 1, payload)
		ch <- result{p, err}
	}()
	return ch
}

func await(tb testing.TB, ch <-chan result) result {
	tb.Helper()
	select {
	case r := <-ch:
		return r
	case <-time.After(deadline):
		require.FailNow(tb, "the call was not answered")
		return result{}
	}
}

func (c *Client) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls
}

func TestClient_ReturnsTheAnswerOfItsOwnCall(t *testing.T) {
	// Answers come back in any order and from any goroutine.
	c := newTestClient(t, serve(t, Handler(func(r Request, reply Reply) {
		go reply(CodeOK, r.Payload)
	})), ClientConfig{})
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for j := range 50 {
				want := numbered(uint64(i*1000 + j))
				got, err := c.Call(testContext(t), 1, want)
				if err != nil || !bytes.Equal(want, got) {
					t.Errorf("call %d/%d: %x, %v", i, j, got, err)
				}
			}
		})
	}
	wg.Wait()
	require.Zero(t, c.waiting())
}

// Money depends on this one: links break at random points, also in the middle
// of a frame, under concurrent calls. Every call must end; what is reported
// as not sent must not have been seen, and what is answered seen once.
func TestClient_AnswersEveryCallOnConnectionLoss(t *testing.T) {
	var seen ledger
	m := startMux(t, MuxConfig{}, Handler(func(r Request, reply Reply) {
		seen.note(r)
		if binary.BigEndian.Uint64(r.Payload)%16 == 0 {
			return // never answered: only the loss of the link ends it
		}
		reply(CodeOK, r.Payload)
	}))
	link := newFaultLink()
	conf := quickRetry
	conf.Dialer = link.dialer()
	c := newTestClient(t, m.Addr().String(), conf)

	done := make(chan struct{})
	var breaker sync.WaitGroup
	breaker.Go(func() {
		for {
			link.failAfter(rand.IntN(4000))
			select {
			case <-time.After(time.Duration(rand.IntN(5000)) * time.Microsecond):
				link.cut()
			case <-done:
				return
			}
		}
	})

	const callers, each = 32, 100
	var next, answered, notSent, unknown atomic.Uint64
	var outcomes sync.Map // number of a call → its error
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for left := each; left > 0; {
				n := next.Add(1)
				got, err := c.Call(context.Background(), 1, numbered(n))
				outcomes.Store(n, err)
				switch {
				case err == nil:
					answered.Add(1)
					left--
					if !bytes.Equal(got, numbered(n)) {
						t.Errorf("call %d got %x", n, got)
					}
				case NotSent(err):
					notSent.Add(1)
					runtime.Gosched() // let the connection be made again
				case mayHaveActed(err):
					unknown.Add(1)
					left--
				default:
					t.Errorf("unclassified: %v", err)
				}
			}
		})
	}
	wg.Wait()
	close(done)
	breaker.Wait()
	require.Zero(t, c.waiting())
	require.NoError(t, c.Close())
	require.NoError(t, m.Close()) // no frame is on its way to the handler
	outcomes.Range(func(key, value any) bool {
		err, _ := value.(error)
		count := seen.count(key.(uint64))
		switch {
		case err == nil:
			require.Equal(t, 1, count, "call %d", key)
		case NotSent(err):
			require.Zero(t, count, "call %d was reported as not sent: %v", key, err)
		default:
			require.LessOrEqual(t, count, 1, "call %d", key)
		}
		return true
	})
	require.NotZero(t, answered.Load())
	require.NotZero(t, notSent.Load())
	require.NotZero(t, unknown.Load())
	t.Logf("%d answered, %d not sent, %d unknown", answered.Load(), notSent.Load(), unknown.Load())
}

func TestClient_ReportsNotSentWhenTheDialFails(t *testing.T) {
	link := newFaultLink()
	link.setRefuse(true)
	conf := quickRetry
	conf.Dialer = link.dialer()
	c := newTestClient(t, serve(t, echo), conf)

	_, err := c.Call(testContext(t), 1, nil)
	require.True(t, NotSent(err))
	require.False(t, mayHaveActed(err))
	require.ErrorIs(t, err, errInjected)

	link.setRefuse(false)
	eventually(t, func() bool {
		_, err := c.Call(testContext(t), 1, nil)
		return err == nil
	}, "the client must dial again")
}

func TestClient_FailsAtOnceDuringBackoff(t *testing.T) {
	link := newFaultLink()
	link.setRefuse(true)
	c := newTestClient(t, "127.0.0.1:1", ClientConfig{Dialer: link.dialer(), MinBackoff: time.Hour, MaxBackoff: time.Hour})
	_, err := c.Call(testContext(t), 1, nil)
	require.True(t, NotSent(err))
	link.setRefuse(false)
	_, err = c.Call(testContext(t), 1, nil)
	require.True(t, NotSent(err))
	require.ErrorIs(t, err, errInjected, "the cause of the backoff")
	require.Zero(t, link.dials())
}

func TestClient_ReportsNotSentForADoneContext(t *testing.T) {
	c := newTestClient(t, serve(t, echo), ClientConfig{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := c.Call(ctx, 1, nil)
	require.True(t, NotSent(err))
	require.ErrorIs(t, err, context.Canceled)
}

// A call withdrawn from the queue must not go out later.
func TestClient_NeverSendsAWithdrawnCall(t *testing.T) {
	var seen ledger
	addr := serve(t, Handler(func(r Request, reply Reply) { seen.note(r); reply(CodeOK, nil) }))
	link := newFaultLink()
	c := newTestClient(t, addr, ClientConfig{Dialer: link.dialer()})
	_, err := c.Call(testContext(t), 1, numbered(1))
	require.NoError(t, err)

	release := link.hold()
	inWrite := goCall(testContext(t), c, numbered(2))
	link.awaitHeldWrite(t)
	ctx, cancel := context.WithCancel(context.Background())
	before := goCall(testContext(t), c, numbered(3))
	eventually(t, func() bool { return c.waiting() == 2 }, "call 3 queued")
	withdrawn := goCall(ctx, c, numbered(4))
	eventually(t, func() bool { return c.waiting() == 3 }, "call 4 queued")
	after := goCall(testContext(t), c, numbered(5))
	eventually(t, func() bool { return c.waiting() == 4 }, "call 5 queued")
	cancel()
	r := await(t, withdrawn)
	require.True(t, NotSent(r.err))
	require.ErrorIs(t, r.err, context.Canceled)
	release()

	require.NoError(t, await(t, inWrite).err)
	require.NoError(t, await(t, before).err)
	require.NoError(t, await(t, after).err)
	require.Zero(t, seen.count(4))
	require.Equal(t, 1, seen.count(5))
}

// The batch in the kernel's hands is unknown as soon as its caller gives up.
func TestClient_ReportsUnknownForACallInTheWrite(t *testing.T) {
	link := newFaultLink()
	c := newTestClient(t, serve(t, echo), ClientConfig{Dialer: link.dialer()})
	_, err := c.Call(testContext(t), 1, nil)
	require.NoError(t, err)
	release := link.hold()
	defer release()
	ctx, cancel := context.WithCancel(context.Background())
	inWrite := goCall(ctx, c, nil)
	link.awaitHeldWrite(t)
	cancel()
	require.True(t, mayHaveActed(await(t, inWrite).err))
}

func TestClient_ReportsUnknownWhenTheDeadlinePassesAfterSending(t *testing.T) {
	c := newTestClient(t, serve(t, Handler(func(Request, Reply) {})), ClientConfig{})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := c.Call(ctx, 1, nil)
	require.True(t, mayHaveActed(err))
	require.False(t, NotSent(err))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestClient_DropsACallThatExpiredInTheQueue(t *testing.T) {
	var seen ledger
	addr := serve(t, Handler(func(r Request, reply Reply) { seen.note(r); reply(CodeOK, nil) }))
	link := newFaultLink()
	c := newTestClient(t, addr, ClientConfig{Dialer: link.dialer()})
	_, err := c.Call(testContext(t), 1, numbered(1))
	require.NoError(t, err)
	release := link.hold()
	inWrite := goCall(testContext(t), c, numbered(2))
	link.awaitHeldWrite(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	queued := goCall(ctx, c, numbered(3))
	<-ctx.Done()
	release()
	r := await(t, queued)
	require.True(t, NotSent(r.err))
	require.ErrorIs(t, r.err, context.DeadlineExceeded)
	require.NoError(t, await(t, inWrite).err)
	require.Zero(t, seen.count(3))
}

// After one failed write, a frame that was written whole or in part is
// unknown, and a frame beyond that is not sent.
func TestClient_SplitsAFailedBatchAtTheWrittenBytes(t *testing.T) {
	link := newFaultLink()
	c := newTestClient(t, serve(t, Handler(func(Request, Reply) {})), ClientConfig{Dialer: link.dialer()})
	release := link.hold()
	first := goCall(testContext(t), c, numbered(0))
	link.awaitHeldWrite(t) // the preamble waits; everything queues behind it
	calls := []<-chan result{first}
	for i := 1; i < 4; i++ {
		calls = append(calls, goCall(testContext(t), c, numbered(uint64(i))))
		eventually(t, func() bool { return c.waiting() == i+1 }, "queued")
	}
	frame := len(frameHeader{id: 1, kind: 1, timeoutMillis: 9000}.appendRequest(nil, 8)) + 8
	link.failAfter(preambleSize + frame + frame/2)
	release()

	unknown := make([]bool, 0, 4)
	for _, ch := range calls {
		r := await(t, ch)
		require.Error(t, r.err)
		unknown = append(unknown, mayHaveActed(r.err))
	}
	require.Equal(t, []bool{true, true, false, false}, unknown)
}

func TestClient_CoalescesWhatQueuesUpDuringAWrite(t *testing.T) {
	link := newFaultLink()
	c := newTestClient(t, serve(t, echo), ClientConfig{Dialer: link.dialer()})
	_, err := c.Call(testContext(t), 1, nil)
	require.NoError(t, err)

	release := link.hold()
	calls := []<-chan result{goCall(testContext(t), c, nil)}
	link.awaitHeldWrite(t)
	before := link.writesSoFar()
	const queued = 500
	for range queued {
		calls = append(calls, goCall(testContext(t), c, numbered(7)))
	}
	eventually(t, func() bool { return c.waiting() == queued+1 }, "all queued")
	release()
	for _, ch := range calls {
		require.NoError(t, await(t, ch).err)
	}
	require.Equal(t, 2, link.writesSoFar()-before, "the write in progress and one for all the others")
}

func TestClient_AnswersPendingCallsOnClose(t *testing.T) {
	link := newFaultLink()
	c := newTestClient(t, serve(t, Handler(func(r Request, reply Reply) {
		if r.Method == 2 {
			reply(CodeOK, nil)
		}
	})), ClientConfig{Dialer: link.dialer()})
	sent := goCall(context.Background(), c, nil)
	_, err := c.Call(testContext(t), 2, nil) // answered, so the one before is sent
	require.NoError(t, err)
	eventually(t, func() bool { return c.waiting() == 1 }, "one call sent")

	release := link.hold()
	defer release()
	inWrite := goCall(context.Background(), c, nil)
	link.awaitHeldWrite(t)
	queued := goCall(context.Background(), c, nil)
	eventually(t, func() bool { return c.waiting() == 3 }, "one call queued")
	require.NoError(t, c.Close())

	r := await(t, sent)
	require.True(t, mayHaveActed(r.err))
	require.ErrorIs(t, r.err, ErrClosed)
	require.True(t, NotSent(await(t, queued).err))
	require.True(t, NotSent(await(t, inWrite).err), "the write was refused before its first byte")

	_, err = c.Call(context.Background(), 1, nil)
	require.True(t, NotSent(err))
	require.ErrorIs(t, err, ErrClosed)
	require.NoError(t, c.Close())
}

func TestClient_AnswersCallsWhenClosedWhileDialling(t *testing.T) {
	dialling := make(chan struct{})
	c := newTestClient(t, "127.0.0.1:1", ClientConfig{Dialer: Dialer{
		Dial: func(ctx context.Context, _ string) (net.Conn, error) {
			close(dialling)
			<-ctx.Done()
			return nil, ctx.Err()
		},
	}})
	ch := goCall(context.Background(), c, nil)
	<-dialling
	require.NoError(t, c.Close())
	r := await(t, ch)
	require.True(t, NotSent(r.err))
	require.ErrorIs(t, r.err, ErrClosed)
}

func TestClient_RefusesCallsBeyondItsBoundAtOnce(t *testing.T) {
	c := newTestClient(t, serve(t, Handler(func(Request, Reply) {})), ClientConfig{Limits: Limits{MaxCalls: 2}})
	for range 2 {
		go func() { _, _ = c.Call(context.Background(), 1, nil) }()
	}
	eventually(t, func() bool { return c.waiting() == 2 }, "full")
	_, err := c.Call(context.Background(), 1, nil)
	require.True(t, NotSent(err))
	require.ErrorIs(t, err, ErrOverloaded)
}

func TestClient_RefusesPayloadsBeyondItsByteBound(t *testing.T) {
	c := newTestClient(t, serve(t, Handler(func(Request, Reply) {})),
		ClientConfig{Limits: Limits{MaxFrameBytes: 1024, MaxCallBytes: 1024}})
	go func() { _, _ = c.Call(context.Background(), 1, make([]byte, 900)) }()
	eventually(t, func() bool { return c.waiting() == 1 }, "one call")
	_, err := c.Call(context.Background(), 1, make([]byte, 900))
	require.ErrorIs(t, err, ErrOverloaded)
	_, err = c.Call(context.Background(), 1, make([]byte, 2000))
	require.True(t, NotSent(err))
	require.ErrorIs(t, err, ErrTooLarge)
}

// A peer that vanished must not hold callers for the minutes
// that TCP takes to notice.
func TestClient_EndsAStalledConnection(t *testing.T) {
	ln := listen(t) // accepts in the kernel, never reads
	c := newTestClient(t, ln.Addr().String(), ClientConfig{StallTimeout: 40 * time.Millisecond})
	_, err := c.Call(testContext(t), 1, nil)
	require.True(t, mayHaveActed(err))
	require.ErrorIs(t, err, ErrStalled)
	require.ErrorIs(t, err, ErrConnectionLost)
}

func TestClient_WaitsForASlowHandlerBeyondTheStallTimeout(t *testing.T) {
	c := newTestClient(t, serve(t, Handler(func(_ Request, reply Reply) {
		time.AfterFunc(1200*time.Millisecond, func() { reply(CodeOK, nil) })
	})), ClientConfig{StallTimeout: 400 * time.Millisecond})
	_, err := c.Call(testContext(t), 1, nil)
	require.NoError(t, err)
}

func TestClient_ClosesAnIdleConnectionAndDialsAgain(t *testing.T) {
	link := newFaultLink()
	c := newTestClient(t, serve(t, echo), ClientConfig{Dialer: link.dialer(), IdleTimeout: 10 * time.Millisecond})
	_, err := c.Call(testContext(t), 1, nil)
	require.NoError(t, err)
	eventually(t, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.link == nil
	}, "the idle connection is closed")
	_, err = c.Call(testContext(t), 1, nil)
	require.NoError(t, err)
	require.Equal(t, 2, link.dials())
}

func TestClient_ReturnsTheCodeOfTheHandler(t *testing.T) {
	c := newTestClient(t, serve(t, Handler(func(_ Request, reply Reply) { reply(7, []byte("where")) })), ClientConfig{})
	_, err := c.Call(testContext(t), 3, nil)
	var code *CodeError
	require.ErrorAs(t, err, &code)
	require.Equal(t, byte(7), code.Code)
	require.Equal(t, "where", string(code.Payload))
	require.False(t, NotSent(err))
	require.False(t, mayHaveActed(err))
}

func TestClient_PassesLargePayloadsBothWays(t *testing.T) {
	c := newTestClient(t, serve(t, echo), ClientConfig{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			want := make([]byte, 10<<20)
			want[0], want[len(want)-1] = byte(rand.Uint32()), byte(rand.Uint32())
			got, err := c.Call(testContext(t), 1, want)
			if err != nil || !bytes.Equal(want, got) {
				t.Errorf("%d bytes came back: %v", len(got), err)
			}
			// Small calls share the connection with the large ones.
			if _, err := c.Call(testContext(t), 1, []byte("small")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestClientConfig_RefusesWhatCannotWork(t *testing.T) {
	for _, conf := range []ClientConfig{
		{Limits: Limits{MaxFrameBytes: 1}},
		{Limits: Limits{MaxFrameBytes: frameCeiling + 1}},
		{Limits: Limits{MaxCalls: -1}},
		{Limits: Limits{MaxCallBytes: 5}},
		{Limits: Limits{WriteTimeout: -1}},
		{MinBackoff: time.Second, MaxBackoff: time.Millisecond},
		{DialTimeout: -1},
	} {
		require.Error(t, conf.Validate())
	}
	require.NoError(t, ClientConfig{}.Validate())
}

func TestPool_GivesOneClientPerAddressAndClosesTheRest(t *testing.T) {
	a, b := serve(t, echo), serve(t, echo)
	p := NewPool(ClientConfig{})
	ca, cb := p.Get(a), p.Get(b)
	require.Same(t, ca, p.Get(a))
	for _, c := range []*Client{ca, cb} {
		_, err := c.Call(testContext(t), 1, nil)
		require.NoError(t, err)
	}
	p.Remove(a)
	_, err := ca.Call(testContext(t), 1, nil)
	require.ErrorIs(t, err, ErrClosed)
	require.NotSame(t, ca, p.Get(a))
	p.Remove(b)
	_, err = cb.Call(testContext(t), 1, nil)
	require.ErrorIs(t, err, ErrClosed)

	require.NoError(t, p.Close())
	require.NoError(t, p.Close())
	_, err = p.Get(a).Call(testContext(t), 1, nil)
	require.True(t, NotSent(err) && errors.Is(err, ErrClosed))
}
