package api_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/fsm"
	"github.com/stretchr/testify/require"
)

// replicated: the tests run against three nodes, each request going to another one.
var replicated bool

// TestMain runs the tests twice: over one ledger in this process, and over a cluster of three. A failure of the second run says so. Under
// the race detector there is no second run: what goes on between nodes is raced in the tests of package cluster.
// Between the two it holds what the tests were answered against what the endpoints announce.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && everyTest() {
		if missing := untested(); len(missing) > 0 {
			fmt.Printf("FAIL: the endpoints announce %d answers that no test has had:\n\t%s\n", len(missing), strings.Join(missing, "\n\t"))
			code = 1
		}
	}
	if !raceDetector && !given("test.fuzz", "test.bench", "test.list") { // a fuzz run starts this program again, as often as there are processors
		fmt.Println("the same against three nodes:")
		replicated = true
		_ = flag.Set("test.parallel", "8") // they wait for elections most of the time
		if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
			_ = os.Setenv("TMPDIR", "/dev/shm") // answers are tested here, not disks; elsewhere it is only slower
		}
		code = max(code, m.Run())
	}
	os.Exit(code)
}

// aloneOnly ends a test that is not about answers of the ledger.
func aloneOnly(t *testing.T) {
	t.Helper()
	if replicated {
		t.Skip("about this process, not about what is replicated")
	}
}

// beside lets a test run at the same time as others, each with a cluster of its own. It may be called several times.
func beside(tb testing.TB) {
	t, ok := tb.(*testing.T)
	if !ok || strings.Contains(t.Name(), "/") {
		return // the parts of a test follow one another
	}
	if _, already := parallel.LoadOrStore(t, true); !already {
		t.Parallel()
	}
}

// parallel are the tests for which beside has been called.
var parallel sync.Map

// nodes are a cluster that holds the ledger of one server. It starts with the first request that the ledger sees.
type nodes struct {
	t       testing.TB
	once    sync.Once
	cluster *clustertest.Cluster
	clock   atomic.Int64
}

func (n *nodes) at(place int, now int64) *cluster.Node {
	n.clock.Store(now)
	n.once.Do(func() {
		n.t.Log("against three nodes")
		n.cluster = clustertest.New(n.t, 3, func(c *cluster.Config) {
			c.Founding = founding
			c.Now = func() time.Time { return time.UnixMilli(n.clock.Load()) }
			c.Elapsed = func() time.Duration { return time.Duration(n.clock.Load()-startTime) * time.Millisecond }
			c.ClockInterval = time.Hour // the nodes share a clock, and it jumps
			c.CommitTimeout, c.StabilizationTime = time.Millisecond, 20*time.Millisecond
		})
		n.awaitNewestVersion()
	})
	return n.cluster.Nodes[place].Node
}

// awaitNewestVersion waits until the leader has raised the ledger version, on which the rules depend.
func (n *nodes) awaitNewestVersion() {
	require.Eventually(n.t, func() bool {
		status, err := n.cluster.Nodes[0].Node.Status(context.Background())
		return err == nil && status.LedgerVersion == fsm.NewestLedgerVersion
	}, 30*time.Second, 5*time.Millisecond)
}

// rotation sends each request to another node.
type rotation struct {
	nodes []http.Handler
	next  atomic.Uint32
}

func (r *rotation) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.nodes[int(r.next.Add(1))%len(r.nodes)].ServeHTTP(w, request)
}

// place is the ledger as one node has it.
type place struct {
	*ledger
	at int
}

// Records is what an export reads: a copy of the ledger.
func (p place) Records(ctx context.Context, minIndex uint64) (api.Records, error) {
	l := p.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nodes != nil {
		node := l.nodes.at(p.at, l.now)
		return node.Records(ctx, minIndex)
	}
	return copyOf(l), nil
}

// Snapshot is the whole ledger as a file. That of a ledger without nodes has no content.
func (p place) Snapshot(ctx context.Context, actor fsm.Hash, minIndex uint64) (api.Snapshot, error) {
	l := p.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nodes != nil {
		node := l.nodes.at(p.at, l.now)
		return node.Snapshot(ctx, actor, minIndex)
	}
	return textSnapshot("a snapshot"), nil
}

// textSnapshot is a file of one text.
type textSnapshot string

func (textSnapshot) Index() uint64 { return 7 }
func (textSnapshot) Clock() int64  { return 8 }
func (textSnapshot) Close() error  { return nil }
func (s textSnapshot) Write(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, string(s))
	return err
}

func (p place) Execute(ctx context.Context, call fsm.Call) (fsm.Result, uint64, error) {
	return p.execute(ctx, p.at, call)
}

func (p place) Answer(ctx context.Context, actor fsm.Hash, q fsm.Query) (fsm.Result, uint64, error) {
	return p.answer(ctx, "Answer", p.at, actor, q, nil)
}

func (p place) AnswerStale(ctx context.Context, actor fsm.Hash, q fsm.Query, minIndex uint64) (fsm.Result, uint64, error) {
	return p.answer(ctx, "AnswerStale", p.at, actor, q, &minIndex)
}

// settle waits until every node shows what has been answered, and knows what time it is, for reads that do not ask for it.
func (s *server) settle() {
	s.t.Helper()
	if s.nodes == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, index, err := s.nodes.at(0, s.now).Answer(ctx, fsm.Hash{}, &fsm.Authorize{})
	require.NoError(s.t, err)
	for i := range s.each {
		_, _, err := s.nodes.at(i, s.now).AnswerStale(ctx, fsm.Hash{}, &fsm.Authorize{}, index)
		require.NoError(s.t, err)
	}
}

// digest is that of the whole state. The state of a cluster has sessions in it, so there it says nothing about one request.
func (s *server) digest() (d fsm.Digest) {
	if s.state != nil {
		d = s.state.Digest()
	}
	return d
}
