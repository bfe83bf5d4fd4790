package failover

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/creditd/creditd/scripts/launch"
)

// Event is what clients noticed of one kill or restart.
type Event struct {
	What     string
	Answers  []time.Duration // sorted
	Failures []string        // calls that were answered with an error, or not at all
	Moved    int             // clients that changed the node
}

// Slowest is the longest time that any call took.
func (e Event) Slowest() time.Duration { return e.Answers[len(e.Answers)-1] }

func (e Event) String() string {
	at := func(share float64) time.Duration {
		return e.Answers[int(share*float64(len(e.Answers)-1))].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%-18s %6d answers, median %v, p99 %v, p99.9 %v, slowest %v, %d moved, %d failed",
		e.What, len(e.Answers), at(0.5), at(0.99), at(0.999), e.Slowest().Round(time.Millisecond), e.Moved, len(e.Failures))
}

const (
	timeout     = time.Minute // of every wait
	callTimeout = 20 * time.Second
	credits     = 1 << 50
)

// Bench is a key that clients debit while something happens to the cluster.
type Bench struct {
	Cluster *launch.Cluster
	Clients int
	Steady  time.Duration // of load before and after each event
	Log     io.Writer     // one line per event

	key     launch.Key
	debited int64 // as the answers say
}

// Setup creates the key.
func (b *Bench) Setup(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	apiID, err := b.Cluster.CreateAPI(ctx)
	if err == nil {
		b.key, err = b.Cluster.CreateKey(ctx, apiID, credits)
	}
	return err
}

// During runs clients of the nodes at addrs before, while and after something happens. A call that failed is an error.
func (b *Bench) During(ctx context.Context, what string, addrs []string, happen func() error) (Event, error) {
	load := startLoad(b.key.Key, addrs, b.Clients)
	err := launch.Pause(ctx, b.Steady)
	if err == nil {
		err = happen()
	}
	if err == nil {
		err = load.awaitProgress(ctx)
	}
	if err == nil {
		err = launch.Pause(ctx, b.Steady)
	}
	event := load.stop(what)
	b.debited += int64(len(event.Answers))
	switch {
	case len(event.Failures) > 0:
		return event, fmt.Errorf("%s: %d calls failed, the first with %s", what, len(event.Failures), event.Failures[0])
	case err == nil:
		_, _ = fmt.Fprintln(b.Log, event)
	}
	return event, err
}

// CheckBalance compares the debits that were answered with what is missing from the balance.
func (b *Bench) CheckBalance(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	remaining, err := b.Cluster.Balance(ctx, launch.Anywhere, b.key.ID)
	if spent := credits - remaining; err == nil && spent != b.debited {
		err = fmt.Errorf("%d credits are missing, %d debits were answered", spent, b.debited)
	}
	return err
}

// Restart stops node i, as an operator does, and starts it again.
func (b *Bench) Restart(ctx context.Context, i int) error {
	if err := b.Cluster.Stop(i); err != nil {
		return err
	}
	if err := b.Cluster.Start(i); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return b.Cluster.AwaitNode(ctx, i)
}
