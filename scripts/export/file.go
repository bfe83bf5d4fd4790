package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/creditd/creditd/api/records"
)

// keyCredits are more than the load takes from any key.
const keyCredits = 1_000_000

// secret is the plaintext of a key of the file.
func secret(n int) string { return fmt.Sprintf("moved_%07d_key_of_the_suite", n) }

// writeSource writes a file with one API, an identity for each tenth key, and keys. Each second key has a refill.
func writeSource(name string, keys int) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b := bufio.NewWriterSize(f, 1<<20)
	w, err := records.NewWriter(b, "")
	if err != nil {
		return err
	}
	const made = 1_700_000_000_000
	if err := w.Write(&records.Record{API: &records.API{ID: "api_moved", Name: "moved", CreatedAt: made}}); err != nil {
		return err
	}
	identity := func(n int) records.ID { return records.ID(fmt.Sprintf("id_moved%07d", n/10)) }
	for n := 0; n < keys; n += 10 {
		if err := w.Write(&records.Record{Identity: &records.Identity{
			ID: identity(n), ExternalID: fmt.Sprintf("customer-%d", n/10), Meta: `{"plan":"pro"}`, CreatedAt: made,
		}}); err != nil {
			return err
		}
	}
	for n := range keys {
		hash := sha256.Sum256([]byte(secret(n)))
		k := &records.Key{
			ID: records.ID(fmt.Sprintf("key_moved%07d", n)), APIID: "api_moved", Hash: records.Hash(base64.StdEncoding.EncodeToString(hash[:])),
			Start: secret(n)[:6], IdentityID: identity(n), Name: "production", Meta: `{"region":"eu-1"}`, Enabled: true, CreatedAt: made,
			Credits: &records.Credits{Remaining: keyCredits},
		}
		if n%2 == 0 {
			k.Credits.Refill = &records.Refill{Interval: "monthly", Amount: keyCredits, RefillDay: 31}
		}
		if err := w.Write(&records.Record{Key: k}); err != nil {
			return err
		}
	}
	if _, err := w.End(); err != nil {
		return err
	}
	return b.Flush()
}

// digest checks a file and returns its end line, which has the hash over its records.
func digest(name string) (end string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 64<<10), 8<<20)
	whole := sha256.New()
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), `{"header":`) { // it names the workspace
			continue
		}
		end = lines.Text()
		_, _ = whole.Write(lines.Bytes())
		_, _ = whole.Write([]byte{'\n'})
	}
	if !strings.HasPrefix(end, `{"end":`) {
		return "", errors.Join(lines.Err(), fmt.Errorf("%s has no end line", name))
	}
	return fmt.Sprintf("%s %x", end, whole.Sum(nil)), lines.Err()
}
