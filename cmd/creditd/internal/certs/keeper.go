package certs

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Keeper has the certificate of one port.
type Keeper struct {
	name  string // "http" or "peer", in logs and metrics
	files Files
	check func(*Loaded) error // what must hold of files that replace others

	current atomic.Pointer[Loaded]
	failing atomic.Bool // the files cannot be used

	mu     sync.Mutex
	broken string             // guarded by mu: what was logged last that cannot be used, empty: nothing
	warned map[string]warning // guarded by mu: what was logged last of the end of a certificate
}

// Keep loads the files. check says what must hold of them, at once and whenever they change.
func Keep(name string, files Files, check func(*Loaded) error) (*Keeper, error) {
	k := &Keeper{name: name, files: files, check: check, warned: make(map[string]warning)}
	loaded, err := Load(files)
	if err != nil {
		return nil, err
	}
	if err := check(loaded); err != nil {
		return nil, err
	}
	k.current.Store(loaded)
	return k, nil
}

// Current returns what counts for the next handshake.
func (k *Keeper) Current() *Loaded { return k.current.Load() }

// Reload reads the files again. What cannot be used changes nothing, and is logged once. Files that did not change are not checked again:
// whatever has ended since, they are what is in use.
func (k *Keeper) Reload(log *slog.Logger) {
	k.mu.Lock()
	defer k.mu.Unlock()
	what := "" // cannot be used
	loaded, err := Load(k.files)
	switch {
	case err != nil:
		what = err.Error()
	case loaded.digest != k.Current().digest:
		err = k.check(loaded)
		what = string(loaded.digest[:]) // the error may name the time
	}
	k.failing.Store(err != nil)
	if err != nil {
		if what != k.broken {
			k.broken = what
			log.Error("the certificate files were changed and cannot be used: the certificate before stays in use", "port", k.name, "err", err)
		}
		return
	}
	if k.broken != "" {
		k.broken = ""
		log.Info("the certificate files can be used again", "port", k.name)
	}
	if loaded.digest == k.Current().digest {
		return
	}
	k.current.Store(loaded)
	log.Info("certificate loaded", "port", k.name, "subject", loaded.Pair.Leaf.Subject.String(), "until", loaded.Pair.Leaf.NotAfter.UTC())
}

// WarnFrom is how long before the end of a certificate the warnings begin. They are repeated once a day, and at its end.
const (
	WarnFrom  = 30 * 24 * time.Hour
	warnEvery = 24 * time.Hour
)

// warning is a line about the end of a certificate.
type warning struct {
	at    time.Time
	ended bool // it said so
}

// End is when a certificate ends.
type End struct {
	Certificate string // "http", "http_ca", "peer" or "peer_ca"
	At          time.Time
}

// Ends returns when the certificate and the authorities end, the earliest of several.
func (k *Keeper) Ends() []End {
	cert, authority := k.Current().ends()
	ends := []End{{k.name, cert}}
	if !authority.IsZero() {
		ends = append(ends, End{k.name + "_ca", authority})
	}
	return ends
}

// warn logs what ends soon.
func (k *Keeper) warn(now time.Time, log *slog.Logger) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, end := range k.Ends() {
		left := end.At.Sub(now)
		if left > WarnFrom {
			delete(k.warned, end.Certificate)
			continue
		}
		ended := left <= 0
		if last, ok := k.warned[end.Certificate]; ok && last.ended == ended && now.Sub(last.at) < warnEvery {
			continue
		}
		k.warned[end.Certificate] = warning{now, ended}
		if ended {
			log.Error("a certificate has ended: whoever checks it refuses the connection", "certificate", end.Certificate, "ended", end.At.UTC())
			continue
		}
		log.Warn("a certificate ends soon: replace its files", "certificate", end.Certificate, "ends", end.At.UTC(), "days", int(left/(24*time.Hour)))
	}
}

// pollInterval is how often the files are read. Files of secrets are replaced by links on some platforms, which notifications miss.
const pollInterval = 5 * time.Second

// Watch loads changed files until ctx ends: each few seconds, and at once when something comes from now. It calls also as often.
func Watch(ctx context.Context, log *slog.Logger, now <-chan struct{}, also func(), keepers ...*Keeper) {
	keepers = slices.DeleteFunc(slices.Clone(keepers), func(k *Keeper) bool { return k == nil })
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		also()
		for _, k := range keepers {
			k.Reload(log)
			k.warn(time.Now(), log)
		}
		select {
		case <-tick.C:
		case <-now:
		case <-ctx.Done():
			return
		}
	}
}
