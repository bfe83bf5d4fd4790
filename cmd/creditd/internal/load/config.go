package load

import (
	"crypto/tls"
	"io"
	"time"
)

// Config says what to measure. Run trusts it: the command line has checked it, and Run only reads it.
type Config struct {
	Addrs          []string    // host:port of each node; connections are spread over them evenly
	TLS            *tls.Config // nil: plain HTTP
	RootKey        string
	Connections    int
	Warmup         time.Duration // load that is not counted, before Duration
	Duration       time.Duration
	Timeout        time.Duration // of one measured request
	Keys           int
	Cost           int64 // of one verification
	Credits        int64 // of each key, or of each identity
	Batch          int   // verifications of one request to keys.verifyKeys; 0: keys.verifyKey
	IdentityShared bool  // groups of keysPerIdentity keys draw on one identity's balance
	Rate           float64
	Keep           bool      // leave the API, the keys and the identities of the run
	Progress       io.Writer // one line a second
}

// keysPerIdentity keeps several connections busy on one shared balance at the default sizes.
const keysPerIdentity = 10

// MaxBatch is the contract's.
const MaxBatch = 1000

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
