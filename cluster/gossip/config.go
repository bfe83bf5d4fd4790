package gossip

import (
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/hashicorp/memberlist"
)

// Profile is a set of timings.
type Profile uint8

const (
	// LAN is for nodes on separate machines. It detects a failure within seconds.
	LAN Profile = iota
	// Loopback is for nodes on one machine, and for tests.
	Loopback
)

// Config configures a [Gossip].
type Config struct {
	// NodeID is the node's id. It is unique, never changes, and has at most 64 bytes.
	NodeID string
	// BindAddr is host:port. Port 0 is any free port.
	BindAddr string
	// AdvertiseAddr is the host:port that other members use. The default is the bind address, or for 0.0.0.0 a private address of this
	// machine. A host name is resolved once, at the start.
	AdvertiseAddr string
	// Label separates clusters on one network. All members must agree.
	Label string
	// SecretKey encrypts all gossip. It has 32 bytes. Without a key a member accepts all messages.
	SecretKey []byte
	// OtherKeys decrypt what members send that have another SecretKey, while it is replaced. At most MaxKeys in all.
	OtherKeys [][]byte
	// Insecure allows gossip without a key outside loopback.
	Insecure bool
	Profile  Profile
	// Meta is the node's first metadata.
	Meta Meta
	// Logger may be nil.
	Logger *slog.Logger
}

// KeyBytes is the size of a key, for AES-256.
const KeyBytes = 32

// MaxKeys bounds the keys of a member: each packet of a stranger is tried with all of them.
const MaxKeys = 4

// reclaimAfter is when the id of a failed member may return from a new address. With zero it never could, and with less two nodes with one
// id would replace each other in turn.
const reclaimAfter = 30 * time.Second

// Validate returns an error that names the first invalid field.
func (c Config) Validate() error {
	if c.NodeID == "" {
		return errors.New("gossip: NodeID is empty")
	}
	if err := checkText("NodeID", c.NodeID, maxIDBytes); err != nil {
		return err
	}
	if len(c.Label) > memberlist.LabelMaxSize {
		return fmt.Errorf("gossip: Label has %d bytes, at most %d fit", len(c.Label), memberlist.LabelMaxSize)
	}
	if n := len(c.SecretKey); n != KeyBytes && n != 0 {
		return fmt.Errorf("gossip: the key has %d bytes, it must have %d", n, KeyBytes)
	}
	if len(c.OtherKeys) > 0 {
		if err := checkKeys(append([][]byte{c.SecretKey}, c.OtherKeys...)); err != nil {
			return err
		}
	}
	if c.Profile > Loopback {
		return fmt.Errorf("gossip: unknown profile %d", c.Profile)
	}
	if err := c.Meta.Validate(); err != nil {
		return err
	}
	bind, err := resolve("BindAddr", c.BindAddr)
	if err != nil {
		return err
	}
	if len(c.SecretKey) == 0 && !bind.IP.IsLoopback() && !c.Insecure {
		return fmt.Errorf("gossip: %s can be reached by other machines and no gossip key is set: "+
			"set the same 32-byte key on every node, or bind to a loopback address, "+
			"or allow unencrypted gossip explicitly", c.BindAddr)
	}
	if c.AdvertiseAddr == "" {
		if bind.IP.IsUnspecified() && bind.IP.To4() == nil {
			return errors.New("gossip: BindAddr is the unspecified IPv6 address: set AdvertiseAddr")
		}
		return nil
	}
	advertise, err := resolve("AdvertiseAddr", c.AdvertiseAddr)
	if err != nil {
		return err
	}
	if advertise.IP.IsUnspecified() {
		return fmt.Errorf("gossip: AdvertiseAddr %s cannot be reached by anybody", c.AdvertiseAddr)
	}
	return nil
}

// resolve turns host:port into an IP address. memberlist would silently bind to all interfaces if it got a name.
func resolve(field, addr string) (*net.TCPAddr, error) {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("gossip: %s %q: %w", field, addr, err)
	}
	if a.IP == nil {
		a.IP = net.IPv4zero
	}
	return a, nil
}

// rejoinPauses are the shortest and the longest pause between attempts to find lost members.
func (p Profile) rejoinPauses() (least, most time.Duration) {
	if p == Loopback {
		return 100 * time.Millisecond, time.Second
	}
	return time.Second, 30 * time.Second
}

// memberlist returns memberlist's configuration, without transport and delegates.
func (c Config) memberlist(logger *log.Logger) (*memberlist.Config, error) {
	conf := memberlist.DefaultLANConfig()
	if c.Profile == Loopback {
		conf = memberlist.DefaultLocalConfig()
		conf.ProbeInterval = 200 * time.Millisecond
		conf.ProbeTimeout = 100 * time.Millisecond
		conf.GossipInterval = 20 * time.Millisecond
		conf.PushPullInterval = 2 * time.Second
		conf.SuspicionMult = 2
		conf.SuspicionMaxTimeoutMult = 2
	}
	conf.Name = c.NodeID
	conf.Label = c.Label
	conf.EnableCompression = false // each packet would cost 80 KiB of garbage; what others compress is read
	conf.DeadNodeReclaimTime = reclaimAfter
	conf.RequireNodeNames = true
	conf.Logger = logger
	conf.SecretKey = c.SecretKey
	if len(c.SecretKey) > 0 {
		ring, err := memberlist.NewKeyring(c.OtherKeys, c.SecretKey)
		if err != nil {
			return nil, fmt.Errorf("gossip: keys: %w", err)
		}
		conf.Keyring = ring
	}
	if c.AdvertiseAddr != "" {
		a, err := resolve("AdvertiseAddr", c.AdvertiseAddr)
		if err != nil {
			return nil, err
		}
		conf.AdvertiseAddr, conf.AdvertisePort = a.IP.String(), a.Port
	}
	return conf, nil
}

// seedName is the name for a member that is not known yet. RequireNodeNames asks for a name, but a join does not use it.
const seedName = "seed/"

func seed(addr string) string {
	if strings.Contains(addr, "/") {
		return addr
	}
	return seedName + addr
}
