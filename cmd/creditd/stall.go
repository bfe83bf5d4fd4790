package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// stallWatch ends a request when its server sends nothing for a time. A client that is slow itself does not count.
type stallWatch struct {
	ctx   context.Context
	limit time.Duration
	timer *time.Timer
	end   context.CancelCauseFunc
}

func newStallWatch(limit time.Duration) *stallWatch {
	w := &stallWatch{limit: limit}
	w.ctx, w.end = context.WithCancelCause(context.Background())
	w.timer = time.AfterFunc(limit, func() { w.end(fmt.Errorf("the node sent nothing for %v", limit)) })
	return w
}

func (w *stallWatch) begin() { w.timer.Reset(w.limit) }
func (w *stallWatch) pause() { w.timer.Stop() }

func (w *stallWatch) stop() {
	w.pause()
	w.end(nil)
}

// explain says why a request failed that the watch has ended.
func (w *stallWatch) explain(err error) error {
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	return err
}

// reader watches each read of an answer.
func (w *stallWatch) reader(from io.Reader) io.Reader { return watchedReader{w, from} }

type watchedReader struct {
	watch *stallWatch
	from  io.Reader
}

func (r watchedReader) Read(p []byte) (int, error) {
	r.watch.begin()
	defer r.watch.pause()
	n, err := r.from.Read(p)
	if err != nil && err != io.EOF {
		err = r.watch.explain(err)
	}
	return n, err
}
