package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// takeProfiles begins a CPU profile of each node, for the time of one attack or of quiet. What it returns waits for them, and then takes heap profiles.
// Without -profiles it does nothing.
func (b *siege) takeProfiles(ctx context.Context, name string, duration time.Duration) (await func() error) {
	if !b.profiles {
		return func() error { return nil }
	}
	problems := make([]error, b.cluster.Size())
	var all sync.WaitGroup
	for i := range problems {
		url := "http://" + b.cluster.Place(i).Admin + "/debug/pprof/"
		file := filepath.Join(b.dir, fmt.Sprintf("%s-node%d", name, i))
		all.Go(func() {
			seconds := max(1, int(duration.Seconds()))
			problems[i] = errors.Join(
				download(ctx, fmt.Sprint(url, "profile?seconds=", seconds), file+".pprof"),
				download(ctx, url+"heap", file+"-heap.pprof"),
			)
		})
	}
	return func() error {
		all.Wait()
		return errors.Join(problems...)
	}
}

func download(ctx context.Context, url, file string) (err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, response.Body)
	return errors.Join(err, out.Close())
}
