package turns

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/creditd/creditd/cluster/fault"
)

// Config bounds costly requests. Zero fields take their defaults.
type Config struct {
	Slots      int           // turns at once; default: half of the cores that the process may use, at least 1
	MaxWait    time.Duration // default DefaultMaxWait
	MaxWaiting int           // default 1024
	Shared     func() bool   // whether several workspaces use the node: for one alone no slot rests; nil: they do
}

// DefaultMaxWait is how long a request waits for its turn.
const DefaultMaxWait = 5 * time.Second

// DefaultSlots is how many turns are held at once.
func DefaultSlots() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// Turns hands out turns.
//
// After a turn its slot rests, for the time that the turn took times a factor, up to longestRest. Rests that are too short for a timer add up. A
// timer after a turn tells how busy the machine is: one that fires late found no free CPU. Then the factor grows, up to maxPause; while nearly all
// timers fire in time, it falls to 0.
type Turns struct {
	conf Config

	mu      sync.Mutex
	held    int              // guarded by mu: slots that are in use or rest
	probing bool             // guarded by mu: a timer runs that tells how busy the machine is
	waiting int              // guarded by mu
	lanes   map[string]*lane // guarded by mu: of workspaces that wait, or have used more than others
	now     time.Duration    // guarded by mu: virtual time, the use of the workspace that had the last turn
	pause   float64          // guarded by mu
	owed    time.Duration    // guarded by mu: rests that were too short for a timer
	stats   Stats            // guarded by mu
}

// lane is one workspace.
type lane struct {
	used    time.Duration // on the scale of virtual time
	waiters []*Turn       // in order of arrival
	holding int           // turns that it holds
}

// Turn is the right to compute. A nil turn has ended.
type Turn struct {
	of      *Turns
	name    string
	lane    *lane
	granted chan struct{}
	since   time.Time // it was granted
	given   bool      // guarded by Turns.mu: it was granted
	charged time.Duration
}

const (
	minPause    = time.Millisecond       // shorter timers are less exact
	longestRest = 400 * time.Millisecond // who waits for a turn waits for the rest as well
	maxPause    = 16.0
	lateTimer   = 2 * time.Millisecond // an idle process wakes up to 1 ms late, a busy machine later

	// The factor grows with a late timer and shrinks with each other one, so that it grows while more than one in eighty is late. A request passes
	// some eight threads in three processes, and each finds the CPU taken as often as a timer does.
	pauseGrowth, pauseStep  = 1.5, 0.2
	pauseDecay, pauseReturn = 0.995, 0.001
)

// New returns turns.
func New(conf Config) *Turns {
	if conf.Slots <= 0 {
		conf.Slots = DefaultSlots()
	}
	if conf.MaxWait <= 0 {
		conf.MaxWait = DefaultMaxWait
	}
	if conf.MaxWaiting <= 0 {
		conf.MaxWaiting = 1024
	}
	if conf.Shared == nil {
		conf.Shared = func() bool { return true }
	}
	return &Turns{conf: conf, lanes: map[string]*lane{}}
}

var (
	tooMany = fault.New(fault.Overloaded, "Too many costly requests are waiting")
	tooLong = fault.New(fault.Overloaded, "The node is busy with costly requests")
)

// Take waits for a turn of a workspace. The error says that nothing was executed.
func (t *Turns) Take(ctx context.Context, workspace string) (*Turn, error) {
	turn := &Turn{of: t, name: workspace}
	if wait, err := t.enter(turn); err != nil || !wait {
		if err != nil {
			return nil, err
		}
		return turn, nil
	}
	began := time.Now()
	timer := time.NewTimer(t.conf.MaxWait)
	defer timer.Stop()
	var err error
	select {
	case <-turn.granted:
		t.waited(time.Since(began), false)
		return turn, nil
	case <-ctx.Done():
		err = fault.Wrap(fault.TimedOut, "The deadline passed before the request was executed", ctx.Err())
	case <-timer.C:
		err = tooLong
	}
	t.waited(time.Since(began), err == tooLong)
	if t.leave(turn) {
		turn.End()
	}
	return nil, err
}

// enter grants a turn at once or lines it up.
func (t *Turns) enter(turn *Turn) (wait bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lanes[turn.name]
	if t.held >= t.conf.Slots {
		mine := 0
		if l != nil {
			mine = len(l.waiters)
		}
		if 2*(mine+1) > t.conf.MaxWaiting-(t.waiting-mine) {
			t.stats.Refused++
			return false, tooMany
		}
	}
	if l == nil {
		l = &lane{used: t.now}
		t.lanes[turn.name] = l
	}
	turn.lane = l
	l.used = max(l.used, t.now)
	if t.held < t.conf.Slots {
		t.held++
		t.grantLocked(turn)
		return false, nil
	}
	turn.granted = make(chan struct{})
	l.waiters = append(l.waiters, turn)
	t.waiting++
	return true, nil
}

func (t *Turns) grantLocked(turn *Turn) {
	t.now = max(t.now, turn.lane.used)
	turn.lane.holding++
	turn.since, turn.given = time.Now(), true
	t.stats.Taken++
}

// leave takes a turn out of its line. True: it was granted meanwhile.
func (t *Turns) leave(turn *Turn) (granted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if turn.given {
		return true
	}
	l := turn.lane
	for i, w := range l.waiters {
		if w == turn {
			l.waiters = append(l.waiters[:i:i], l.waiters[i+1:]...)
			t.waiting--
			break
		}
	}
	t.forgetLocked(turn.name, l)
	return false
}

// Charge adds what the holder has others do: the turn counts as so much longer.
func (turn *Turn) Charge(d time.Duration) { turn.charged += d }

// End ends the turn.
func (turn *Turn) End() {
	if turn == nil {
		return
	}
	turn.of.end(turn, time.Since(turn.since)+turn.charged)
}

func (t *Turns) end(turn *Turn, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	turn.lane.holding--
	turn.lane.used += took
	t.forgetLocked(turn.name, turn.lane)
	rest := min(t.owed+time.Duration(float64(took)*t.pause), longestRest)
	if !t.conf.Shared() {
		rest = 0
	}
	if rest >= minPause {
		t.owed = 0
		t.after(rest, t.passLocked)
		return
	}
	t.owed = rest
	t.passLocked()
	t.probeLocked()
}

// probeLocked lets a timer tell how busy the machine is.
func (t *Turns) probeLocked() {
	if !t.probing {
		t.probing = true
		t.after(minPause, func() { t.probing = false })
	}
}

// after calls do, with mu held, and learns from how late it does.
func (t *Turns) after(d time.Duration, do func()) {
	began := time.Now()
	time.AfterFunc(d, func() {
		late := time.Since(began) - d
		t.mu.Lock()
		defer t.mu.Unlock()
		t.learnLocked(late)
		do()
	})
}

// learnLocked changes the pause by how late a timer fired. Timers sleep, so the system's scheduler favours them: also on a machine that has no
// CPU to spare most of them fire in time.
func (t *Turns) learnLocked(late time.Duration) {
	if late > lateTimer {
		t.pause = min(maxPause, t.pause*pauseGrowth+pauseStep)
	} else {
		t.pause = max(0, t.pause*pauseDecay-pauseReturn)
	}
}

// passLocked gives a slot to who waits.
func (t *Turns) passLocked() {
	var next *lane
	for _, l := range t.lanes {
		if len(l.waiters) > 0 && (next == nil || l.used < next.used) {
			next = l
		}
	}
	if next == nil {
		t.held--
		return
	}
	turn := next.waiters[0]
	next.waiters = next.waiters[1:]
	t.waiting--
	t.grantLocked(turn)
	close(turn.granted)
}

// forgetLocked drops the lane of a workspace that has no more than others. Those that do are dropped with the next turn of theirs, or when
// virtual time has passed them: there are few.
func (t *Turns) forgetLocked(name string, l *lane) {
	const most = 1024
	if len(l.waiters) == 0 && l.holding == 0 && l.used <= t.now {
		delete(t.lanes, name)
	}
	if len(t.lanes) > most {
		for name, l := range t.lanes {
			if len(l.waiters) == 0 && l.holding == 0 {
				delete(t.lanes, name)
			}
		}
	}
}

func (t *Turns) waited(d time.Duration, refused bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stats.Waits++
	t.stats.Waited += d
	if refused {
		t.stats.Refused++
	}
}

// Stats is what the turns have seen.
type Stats struct {
	Taken, Waits, Refused uint64        // turns, those that were waited for, and requests without one
	Waited                time.Duration // together
	Waiting               int           // requests that wait now
	Pause                 float64       // how long a slot rests, as a multiple of the turn before, if Shared
	Shared                bool          // several workspaces use the node
}

// Stats returns what the turns have seen.
func (t *Turns) Stats() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.stats
	s.Waiting, s.Pause, s.Shared = t.waiting, t.pause, t.conf.Shared()
	return s
}
