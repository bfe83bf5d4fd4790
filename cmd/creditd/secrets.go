package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

// A root key opens everything, so a member of a cluster refuses one that can be guessed.
const (
	rootKeyMin = 16
	rootKeyMax = 512
)

// gossipKeyBytes is the size of a key for AES-256.
const gossipKeyBytes = 32

// checkRootKey never repeats the key: messages end up in logs.
func checkRootKey(key string, least int) error {
	if len(key) < least {
		return fmt.Errorf("the root key has %d characters; at least %d are needed", len(key), least)
	}
	if len(key) > rootKeyMax {
		return fmt.Errorf("the root key has %d characters; at most %d are allowed", len(key), rootKeyMax)
	}
	for _, c := range []byte(key) {
		if c <= ' ' || c > '~' {
			return errors.New("the root key may contain only visible ASCII characters, without spaces")
		}
	}
	return nil
}

// readSecretFile returns the content of a small file without the white space around it.
func readSecretFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Mode().IsRegular() && info.Size() > 1<<16 {
		return "", fmt.Errorf("%s has %d bytes, which is too many for a key file", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return text, nil
}

// warnOfReaders warns of a secret file that every user of the machine can read.
func warnOfReaders(s *settings.Set, name, path string) {
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o004 != 0 {
		s.Warn(name, "every user of this machine can read %s; take that right away with: chmod o= %s", path, quoted(path))
	}
}

// warnOfGuests warns of a data directory that other users can enter: it holds every hash, balance and meta.
func warnOfGuests(s *settings.Set, dir string) {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return // the store makes it, or says what is wrong
	}
	switch mode := info.Mode().Perm(); {
	case mode&0o022 != 0:
		s.Warn("data-dir", "other users of this machine can change %s; take that right away with: chmod go= %s", dir, quoted(dir))
	case mode&0o005 != 0:
		s.Warn("data-dir", "every user of this machine can read %s; take that right away with: chmod o= %s", dir, quoted(dir))
	}
}

// warnOfArgument warns of a secret that every user of the machine can see in the process list.
func warnOfArgument(s *settings.Set, name, variable string) {
	if origin, _ := s.Source(name); origin == settings.Flag {
		s.Warn(name, "every user of this machine can see it in the process list; use %s instead", variable)
	}
}

// readGossipKeys reads a file with a key on each line. The first encrypts; each decrypts.
func readGossipKeys(path string) (keys [][]byte, err error) {
	text, err := readSecretFile(path)
	if err != nil {
		return nil, err
	}
	for line := range strings.FieldsSeq(text) {
		key, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(key) != gossipKeyBytes {
			return nil, fmt.Errorf("%s does not hold %d bytes in base64 on each line; make a key with: creditd secret new", path, gossipKeyBytes)
		}
		keys = append(keys, key)
	}
	if len(keys) > gossip.MaxKeys {
		return nil, fmt.Errorf("%s holds %d keys; at most %d are allowed", path, len(keys), gossip.MaxKeys)
	}
	return keys, nil
}

// rootKeySettings are the two ways to name a root key.
type rootKeySettings struct{ key, file string }

func (r *rootKeySettings) bind(s *settings.Set) {
	s.Text(&r.key, "root-key", "KEY", "a root key; the variable keeps it out of the process list")
	s.Text(&r.file, "root-key-file", "FILE", "file that holds a root key")
}

// check is for commands that need a root key.
func (r *rootKeySettings) check(s *settings.Set) {
	if r.choose(s, 1); r.key == "" && s.Fine("root-key", "root-key-file") {
		s.Refuse("root-key", "missing; name a root key with CREDITD_ROOT_KEY, --root-key-file or --root-key")
	}
}

// choose settles on one key.
func (r *rootKeySettings) choose(s *settings.Set, least int) {
	name, ok := choose(s, "root-key", "root key", &r.key, r.file)
	if !ok {
		return
	}
	if err := checkRootKey(r.key, least); err != nil {
		s.Refuse(name, "%v", err)
	}
	warnOfArgument(s, "root-key", "CREDITD_ROOT_KEY")
}

// choose settles on a secret that a setting may hold, or the file that a second setting names. If both are given, the one whose source
// counts first wins. ok is false if there is none, or it cannot be read; then that is noted. name is the setting that it comes from.
func choose(s *settings.Set, setting, what string, value *string, file string) (name string, ok bool) {
	name, fileName := setting, setting+"-file"
	valueOrigin, valueSource := s.Source(name)
	fileOrigin, _ := s.Source(fileName)
	switch {
	case *value != "" && file != "" && valueOrigin == fileOrigin:
		s.Refuse(fileName, "%s names a %s as well; use one of the two", valueSource, what)
		return name, false
	case file != "" && (*value == "" || fileOrigin > valueOrigin):
		name = fileName
		var err error
		if *value, err = readSecretFile(file); err != nil {
			s.Refuse(name, "the %s cannot be read: %v", what, err)
			return name, false
		}
		warnOfReaders(s, name, file)
	}
	return name, *value != ""
}
