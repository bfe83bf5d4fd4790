package load

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Config says what to measure. It is read-only once Run has it.
type Config struct {
	Addrs          []string // host:port of each node; connections are spread over them evenly
	RootKey        string
	Connections    int
	Warmup         time.Duration // load that is not counted, before Duration
	Duration       time.Duration
	Timeout        time.Duration // of one request
	Keys           int
	Cost           int64 // of one verification
	Credits        int64 // of each key, or of each identity
	Batch          int   // verifications of one request to keys.verifyKeys; 0: keys.verifyKey
	IdentityShared bool  // groups of keysPerIdentity keys draw on one identity's balance
	Rate           float64
	Progress       io.Writer // one line a second
}

// keysPerIdentity keeps several connections busy on one shared balance at the default sizes.
const keysPerIdentity = 10

// maxBatch is the contract's.
const maxBatch = 1000

// DefaultConfig is what `creditd bench` does without flags.
func DefaultConfig() Config {
	return Config{
		Addrs:       []string{"127.0.0.1:7070"},
		Connections: 64,
		Warmup:      2 * time.Second,
		Duration:    10 * time.Second,
		Timeout:     10 * time.Second,
		Keys:        1000,
		Cost:        1,
		Credits:     1_000_000_000_000_000,
		Progress:    io.Discard,
	}
}

// Validate reports everything that cannot be run.
func (c Config) Validate() error {
	var problems []error
	complain := func(bad bool, format string, args ...any) {
		if bad {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	complain(len(c.Addrs) == 0, "at least one address is needed")
	for _, addr := range c.Addrs {
		complain(addr == "", "an address is empty")
	}
	complain(c.RootKey == "", "a root key is needed")
	complain(c.Connections < 1 || c.Connections > 65536, "connections must be 1..65536, not %d", c.Connections)
	complain(c.Connections < len(c.Addrs), "%d connections cannot reach %d addresses", c.Connections, len(c.Addrs))
	complain(c.Warmup < 0, "warmup must not be negative")
	complain(c.Duration <= 0, "duration must be positive")
	complain(c.Timeout <= 0, "timeout must be positive")
	complain(c.Keys < 1 || c.Keys > 10_000_000, "keys must be 1..10000000, not %d", c.Keys)
	complain(c.Cost < 0 || c.Cost > 1_000_000_000_000, "cost must be 0..1000000000000, not %d", c.Cost)
	complain(c.Credits < 0, "credits must not be negative")
	complain(c.Batch < 0 || c.Batch > maxBatch, "batch must be 0..%d, not %d", maxBatch, c.Batch)
	complain(c.Rate < 0 || math.IsNaN(c.Rate) || math.IsInf(c.Rate, 0), "rate must be a positive number")
	return errors.Join(problems...)
}
