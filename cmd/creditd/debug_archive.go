package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// bundle is what an archive of `creditd debug bundle` will hold.
type bundle struct {
	made   time.Time
	files  []bundledFile
	errors strings.Builder // a line for each file that could not be had
}

type bundledFile struct {
	name    string
	content []byte
}

// add takes a file, or notes why it could not be had.
func (b *bundle) add(name string, content []byte, err error) {
	if err != nil {
		b.failed(name, err)
		return
	}
	b.files = append(b.files, bundledFile{name, content})
}

func (b *bundle) failed(name string, err error) {
	fmt.Fprintf(&b.errors, "%s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", "; "))
}

// write makes the archive, which only its owner can read.
func (b *bundle) write(name string) error {
	file, err := createWhole(name)
	if err != nil {
		return err
	}
	defer file.discard()
	if err := file.Chmod(0o600); err != nil { // one that an interrupted run left keeps its mode
		return err
	}
	if err := b.pack(file); err != nil {
		return err
	}
	return file.keep()
}

func (b *bundle) pack(to io.Writer) error {
	zipped := gzip.NewWriter(to)
	archive := tar.NewWriter(zipped)
	files := b.files
	if b.errors.Len() > 0 {
		files = append(files, bundledFile{"errors.txt", []byte(b.errors.String())})
	}
	for _, f := range files {
		header := &tar.Header{Name: "creditd-debug/" + f.name, Mode: 0o600, Size: int64(len(f.content)), ModTime: b.made, Typeflag: tar.TypeReg}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(archive, bytes.NewReader(f.content)); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), zipped.Close())
}
