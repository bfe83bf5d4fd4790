package simulation_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

// simulatedHours is how long each cluster lives, in its own time.
const simulatedHours = 4

// Three whole nodes (raft, batches, sessions, forwarding, real files) run for hours of fake time. Links break and fall silent, leadership
// moves, and nodes stop and come back. Every credit is spent once, every answer fits one order, and all nodes agree in the end. Gossip is
// left out: the configuration is written beforehand. CREDITD_SEED repeats one history of faults; without it, one of two is new in every run.
func TestSimulation_HoursOfFaults(t *testing.T) {
	seeds := []uint64{0, rand.Uint64()}
	if text := os.Getenv("CREDITD_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "CREDITD_SEED")
		seeds = []uint64{seed}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) { simulate(t, seed, dir) })
		})
	}
}

func simulate(t *testing.T, seed uint64, dir string) {
	s := newSimulation(t, seed, dir)
	defer s.stopAll()
	s.ask(&fsm.CreateAPI{ID: "api_1", KeyspaceID: "ks_1", Name: "api"})
	s.ask(&fsm.CreateIdentity{ID: "id_1", ExternalID: "alice", Credits: fsm.NewCredits{Limited: true, Remaining: simCredits}})
	for i := range byte(2) {
		s.ask(&fsm.CreateKey{
			ID: fmt.Sprint("key_", i), Hash: fsm.Hash{i + 1}, APIID: "api_1", ExternalID: "alice", Enabled: true, Expires: fsm.Never,
		})
	}

	end := time.Now().Add(simulatedHours * time.Hour)
	for time.Now().Before(end) {
		time.Sleep(time.Duration(s.random.Int64N(int64(4 * time.Minute))))
		s.burst()
		time.Sleep(time.Duration(s.random.Int64N(int64(burst))))
		s.hurt()
	}
	s.clients.Wait()
	s.network.HealAll()
	s.agree()
	s.audit()
}

const simCredits = int64(1) << 40

// simulation is a cluster in a bubble and what its clients saw.
type simulation struct {
	t       *testing.T
	random  *rand.Rand // of the faults
	network *network
	places  [3]simPlace

	clients sync.WaitGroup
	mu      sync.Mutex
	charges []simCharge // guarded by mu
	unknown int64       // guarded by mu: credits of charges whose answer was never learnt
	failed  int         // guarded by mu: charges that were certainly not executed
	reads   []simCharge // guarded by mu: answered reads of the balance, as charges of nothing
	faults  map[string]int
}

// simPlace is one member: its files stay while it is down.
type simPlace struct {
	addr, dir string
	mu        sync.Mutex
	node      *cluster.Node // guarded by mu: nil while down
}

func (p *simPlace) up() *cluster.Node {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.node
}

// simCharge is an answered charge: the credits left after it, and when it was under way.
type simCharge struct {
	left, cost    int64
	index         uint64
	sent, learned time.Time
}

// latency is that of a bad network: long enough for a fault to hit messages in flight.
func latency() time.Duration { return time.Duration(rand.Int64N(int64(30 * time.Millisecond))) }

func newSimulation(t *testing.T, seed uint64, dir string) *simulation {
	s := &simulation{t: t, random: rand.New(rand.NewPCG(seed, 99)), network: newNetwork(latency), faults: map[string]int{}}
	var configuration raft.Configuration
	var stores []*store.Store
	for i := range s.places {
		p := &s.places[i]
		p.addr, p.dir = fmt.Sprintf("node%d:1", i), filepath.Join(dir, fmt.Sprint(i))
		files := s.open(p)
		stores = append(stores, files)
		configuration.Servers = append(configuration.Servers, raft.Server{
			ID: raft.ServerID(files.NodeID()), Address: raft.ServerAddress(p.addr),
		})
	}
	for i, files := range stores {
		conf := raft.DefaultConfig()
		conf.LocalID = configuration.Servers[i].ID
		_, unused := raft.NewInmemTransport("")
		require.NoError(t, raft.BootstrapCluster(conf, files.Log(), files.Stable(), files.Snapshots(), unused, configuration))
		s.start(&s.places[i], files)
	}
	return s
}

func (s *simulation) open(p *simPlace) *store.Store {
	files, err := store.Open(store.Options{Dir: p.dir, LogStore: store.LogBolt, Reads: replica.Reads("test")})
	require.NoError(s.t, err)
	return files
}

func (s *simulation) start(p *simPlace, files *store.Store) {
	l, err := s.network.listen(p.addr)
	require.NoError(s.t, err)
	conf := cluster.DefaultConfig()
	conf.Store, conf.PeerListener, conf.AdvertisePeer = files, l, p.addr
	conf.Dial = s.network.dialFrom(p.addr)
	conf.BootstrapExpect = 1
	conf.Founding = fsm.Bootstrap{
		ClusterID: "cl_simulated", WorkspaceID: "ws_1", WorkspaceName: "default", RootKeyID: "key_root", RootKeyHash: clustertest.RootKey,
	}
	// Slower than in life, so that an hour has fewer heartbeats and questions for the time.
	conf.HeartbeatTimeout, conf.ElectionTimeout, conf.LeaseTimeout = 5*time.Second, 5*time.Second, 4*time.Second
	conf.CommitTimeout = time.Second
	conf.LeaderWait = 30 * time.Second
	conf.ClockInterval = time.Minute
	conf.SnapshotThreshold, conf.TrailingLogs, conf.SnapshotInterval = 64, 128, 5*time.Minute
	conf.Logger = slog.New(slog.DiscardHandler)
	node, err := cluster.New(conf)
	require.NoError(s.t, err)
	require.NoError(s.t, node.Start())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.node = node
}

// stop ends a node, with or without courtesy.
func (s *simulation) stop(p *simPlace, abruptly bool) {
	p.mu.Lock()
	node := p.node
	p.node = nil
	p.mu.Unlock()
	if node == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	if abruptly {
		cancel()
	}
	defer cancel()
	require.NoError(s.t, node.Close(ctx))
}

func (s *simulation) stopAll() {
	s.network.HealAll()
	for i := range s.places {
		s.stop(&s.places[i], true)
	}
	s.clients.Wait()
	time.Sleep(time.Minute) // raft's transport lets a last answer finish by itself
}

// burst is how long clients keep coming around a fault.
const burst = 200 * time.Millisecond

// burst lets clients spend concurrently. The next fault meets some of them in flight, and a few start while it lasts.
func (s *simulation) burst() {
	for range 16 {
		random := rand.New(rand.NewPCG(s.random.Uint64(), 0))
		begin := random.Int64N(int64(burst))
		if random.IntN(8) == 0 {
			begin = random.Int64N(int64(3 * time.Minute))
		}
		s.clients.Go(func() {
			time.Sleep(time.Duration(begin))
			s.spend(random)
			s.read(random)
		})
	}
}

// hurt does one thing to the cluster and, mostly, mends it after a while.
func (s *simulation) hurt() {
	i, j := s.random.IntN(3), s.random.IntN(2)
	if j >= i {
		j++
	}
	p := &s.places[i]
	pause := time.Duration(s.random.Int64N(int64(3 * time.Minute)))
	fault := []func(from, to string){s.network.Cut, s.network.Block}[s.random.IntN(2)]
	switch what := s.random.IntN(6); what {
	case 0:
		s.count("link")
		fault(p.addr, s.places[j].addr)
		if s.random.IntN(2) == 0 { // else in one direction only
			fault(s.places[j].addr, p.addr)
		}
		time.Sleep(pause)
	case 1:
		s.count("isolate")
		s.isolate(i, fault)
		time.Sleep(pause)
	case 2:
		if leader := s.leader(); leader >= 0 {
			s.count("isolate leader")
			s.isolate(leader, fault)
			time.Sleep(pause)
		}
	case 3:
		if node := p.up(); node != nil {
			s.count("transfer of leadership")
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			_ = node.TransferLeadership(ctx, "") // refused while there is no leader
			cancel()
		}
		return
	case 4, 5:
		s.count([]string{"restart", "abrupt restart"}[what-4])
		s.stop(p, what == 5)
		time.Sleep(pause)
		s.start(p, s.open(p))
	}
	s.network.HealAll()
}

func (s *simulation) count(fault string) { s.faults[fault]++ }

func (s *simulation) isolate(i int, fault func(from, to string)) {
	for j := range s.places {
		if j != i {
			fault(s.places[i].addr, s.places[j].addr)
			fault(s.places[j].addr, s.places[i].addr)
		}
	}
}

func (s *simulation) leader() int {
	return slices.IndexFunc([]int{0, 1, 2}, func(i int) bool { n := s.places[i].up(); return n != nil && n.Leads() })
}

// ask executes a command while nothing is broken.
func (s *simulation) ask(command fsm.Command) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	r, _, err := s.places[0].up().Execute(ctx, fsm.Call{Actor: clustertest.RootKey, Command: command})
	require.NoError(s.t, err)
	require.IsType(s.t, &fsm.Created{}, r)
}

// spend debits the identity through a random key and node, within a client's timeout.
func (s *simulation) spend(random *rand.Rand) {
	node := s.places[random.IntN(3)].up()
	if node == nil {
		return
	}
	c := simCharge{cost: 1 + random.Int64N(9), sent: time.Now()}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+random.IntN(60))*time.Second)
	defer cancel()
	r, index, err := node.Execute(ctx, fsm.Call{
		Actor: clustertest.RootKey, Command: &fsm.VerifyKey{Hash: fsm.Hash{byte(1 + random.IntN(2))}, Cost: c.cost},
	})
	c.learned, c.index = time.Now(), index
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		v := r.(*fsm.Verdict)
		if v.Code != fsm.Valid {
			s.t.Errorf("a charge was denied: %d", v.Code)
		}
		c.left = v.Credits
		s.charges = append(s.charges, c)
	case fault.KindOf(err) == fault.Unknown:
		s.unknown += c.cost
	default:
		s.failed++
	}
}

// read asks any node for the balance.
func (s *simulation) read(random *rand.Rand) {
	node := s.places[random.IntN(3)].up()
	if node == nil {
		return
	}
	c := simCharge{sent: time.Now()}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, index, err := node.Answer(ctx, clustertest.RootKey, &fsm.GetIdentity{Identity: "alice"})
	if err != nil {
		return // nobody was told anything
	}
	c.learned, c.index, c.left = time.Now(), index, r.(*fsm.Identity).Credits.Remaining
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads = append(s.reads, c)
}

// agree waits until all nodes are ready and have one digest.
func (s *simulation) agree() {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		seen := map[string]bool{}
		for i := range s.places {
			n := s.places[i].up()
			if n == nil || n.Ready() != nil {
				return false
			}
			index, digest := n.Digest()
			seen[fmt.Sprint(index, digest)] = true
		}
		return len(seen) == 1
	}, 5*time.Minute, time.Second, "the nodes do not agree")
}

// audit checks all answers against each other. A debit takes an interval of credits, and no two intervals overlap. Later entries leave
// less. Credits that no answer explains are at most those of the unknown outcomes.
func (s *simulation) audit() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, _, err := s.places[0].up().Answer(ctx, clustertest.RootKey, &fsm.GetIdentity{Identity: "alice"})
	require.NoError(s.t, err)
	remaining := r.(*fsm.Identity).Credits.Remaining

	var answered int64
	slices.SortFunc(s.charges, func(a, b simCharge) int { return int(b.left - a.left) })
	lowest := simCredits
	for i, c := range s.charges {
		answered += c.cost
		require.LessOrEqual(s.t, c.left+c.cost, lowest, "charge %d of %d was given credits twice", i, len(s.charges))
		lowest = c.left
		if i > 0 {
			before := s.charges[i-1]
			require.GreaterOrEqual(s.t, c.index, before.index, "an earlier entry left less")
			require.False(s.t, c.learned.Before(before.sent), "a charge was answered before one was sent that it follows")
		}
	}
	for _, read := range s.reads {
		for _, c := range s.charges {
			if c.learned.Before(read.sent) {
				require.LessOrEqual(s.t, read.left, c.left, "a read at %v missed a charge that was answered at %v", read.sent, c.learned)
			}
			if read.learned.Before(c.sent) {
				require.GreaterOrEqual(s.t, read.left, c.left+c.cost, "a read saw a charge before it was sent")
			}
		}
	}
	spent := simCredits - remaining
	require.GreaterOrEqual(s.t, spent, answered, "answered charges were lost")
	require.LessOrEqual(s.t, spent, answered+s.unknown, "more was charged than was asked for")
	require.NotEmpty(s.t, s.charges)
	s.t.Logf("%d charges and %d reads answered, %d credits unknown, %d charges refused; faults %v",
		len(s.charges), len(s.reads), s.unknown, s.failed, s.faults)
}
