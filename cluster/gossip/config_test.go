package gossip

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConfig_RefusesAnOpenPortWithoutKey(t *testing.T) {
	open := Config{NodeID: "a", BindAddr: "0.0.0.0:0"}
	require.ErrorContains(t, open.Validate(), "32-byte key")
	require.ErrorContains(t, Config{NodeID: "a", BindAddr: ":0"}.Validate(), "32-byte key")

	withKey := open
	withKey.SecretKey = make([]byte, 32)
	require.NoError(t, withKey.Validate())
	insecure := open
	insecure.Insecure = true
	require.NoError(t, insecure.Validate())
	require.NoError(t, Config{NodeID: "a", BindAddr: "127.0.0.1:0"}.Validate())
	require.NoError(t, Config{NodeID: "a", BindAddr: "[::1]:0"}.Validate())
}

func TestConfig_NamesWhatCannotWork(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"NodeID is empty":    func(c *Config) { c.NodeID = "" },
		"NodeID has":         func(c *Config) { c.NodeID = strings.Repeat("a", 65) },
		"Label":              func(c *Config) { c.Label = strings.Repeat("l", 256) },
		"key has 16 bytes":   func(c *Config) { c.SecretKey = make([]byte, 16) },
		"profile":            func(c *Config) { c.Profile = 9 },
		"PeerAddr":           func(c *Config) { c.Meta.PeerAddr = strings.Repeat("p", 200) },
		"BindAddr":           func(c *Config) { c.BindAddr = "no port" },
		"AdvertiseAddr":      func(c *Config) { c.AdvertiseAddr = "no port" },
		"reached by anybody": func(c *Config) { c.AdvertiseAddr = "0.0.0.0:1" },
	} {
		c := Config{NodeID: "a", BindAddr: "127.0.0.1:0"}
		change(&c)
		require.ErrorContains(t, c.Validate(), want)
		_, err := New(c)
		require.ErrorContains(t, err, want)
	}
}

func TestBridge_KeepsTheLevelOfALine(t *testing.T) {
	var out bytes.Buffer
	log := (&logWriter{
		log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn})), limit: new(lineLimit), refused: func() {},
	}).logger()
	log.Printf("[DEBUG] memberlist: unseen")
	log.Printf("[INFO] memberlist: unseen")
	log.Printf("[WARN] memberlist: careful")
	log.Printf("[ERR] memberlist: broken")
	require.NotContains(t, out.String(), "unseen")
	require.Contains(t, out.String(), `level=WARN msg="memberlist: careful"`)
	require.Contains(t, out.String(), `level=ERROR msg="memberlist: broken"`)
}

// memberlist's compressor takes 80 KiB for each packet, and most packets have a few hundred bytes. Three nodes on one machine send some 20 a second.
func TestConfig_CompressesNothing(t *testing.T) {
	for _, p := range []Profile{LAN, Loopback} {
		conf, err := Config{NodeID: "a", BindAddr: "127.0.0.1:0", Profile: p}.memberlist(nil)
		require.NoError(t, err)
		require.False(t, conf.EnableCompression)
	}
}
