package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
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
			return errors.New("the root key may consist of visible ASCII characters only, without blanks")
		}
	}
	return nil
}

// readSecretFile returns the content of a small file without the white space
// around it.
func readSecretFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Mode().IsRegular() && info.Size() > 1<<16 {
		return "", fmt.Errorf("%s has %d bytes; that is no key file", path, info.Size())
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

func readGossipKey(path string) ([]byte, error) {
	text, err := readSecretFile(path)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != gossipKeyBytes {
		return nil, fmt.Errorf("%s does not hold %d bytes in base64; make one with: head -c %d /dev/urandom | base64",
			path, gossipKeyBytes, gossipKeyBytes)
	}
	return key, nil
}

// chooseRootKey returns the root key of the options root-key and root-key-file.
// If both are given, the one from the place that counts first wins.
func (o *options) chooseRootKey(key, file string, least int) string {
	direct, named := o.option("root-key"), o.option("root-key-file")
	switch {
	case key != "" && file != "" && direct.origin == named.origin:
		o.reject(named, "%s names a root key as well; use one of the two", direct.source)
		return ""
	case file != "" && (key == "" || named.origin > direct.origin):
		text, err := readSecretFile(file)
		if err != nil {
			o.reject(named, "the root key cannot be read: %v", err)
			return ""
		}
		key, direct = text, named
	case key == "":
		return ""
	}
	if err := checkRootKey(key, least); err != nil {
		o.reject(direct, "%v", err)
		return ""
	}
	return key
}
