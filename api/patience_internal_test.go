package api

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func ended(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestPatience_IsAContext: docs/contract.md 1.1. One connection has many requests, and what ends one leaves the next alone.
func TestPatience_IsAContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type name struct{}
		conn, hangUp := ConnContext(context.WithValue(t.Context(), name{}, "of net/http"))
		v := conn.Value(vigilKey{}).(*vigil)
		begin := func(timeout time.Duration) (*patience, time.Time) {
			deadline := time.Now().Add(timeout)
			return v.begin(conn, deadline), deadline
		}

		late, deadline := begin(time.Second)
		require.Equal(t, "of net/http", late.Value(name{}))
		at, ok := late.Deadline()
		require.True(t, ok)
		require.Equal(t, deadline, at)
		child, cancel := context.WithTimeout(late, time.Hour)
		defer cancel()
		require.NoError(t, late.Err())
		require.Equal(t, context.DeadlineExceeded, ended(late))
		require.Equal(t, context.DeadlineExceeded, ended(child))
		require.Equal(t, context.DeadlineExceeded, context.Cause(late))
		require.Equal(t, deadline, time.Now())
		v.end()
		require.Equal(t, context.DeadlineExceeded, late.Err())

		served, _ := begin(time.Second)
		waiter := make(chan error)
		go func() { waiter <- ended(served) }()
		synctest.Wait()
		v.end()
		require.Equal(t, context.Canceled, <-waiter)

		next, _ := begin(time.Hour)
		minute, cancel := context.WithTimeout(conn, time.Minute)
		defer cancel()
		require.Error(t, ended(minute)) // the deadlines of the others have passed
		v.look()                        // as a timer that was already under way when it was stopped
		require.NoError(t, next.Err())
		hangUp()
		require.Equal(t, context.Canceled, ended(next))
		v.end()
		hangUp()

		gone, _ := begin(time.Hour)
		require.Equal(t, context.Canceled, ended(gone))
		v.end()
	})
}

// TestPatience_EndsWithTheContextOfTheServer: net/http may be the only one who notices that a client is gone.
func TestPatience_EndsWithTheContextOfTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _ := ConnContext(t.Context())
		v := conn.Value(vigilKey{}).(*vigil)
		for _, waits := range []time.Duration{0, time.Minute} {
			ofServer, cancel := context.WithCancel(conn)
			p := v.begin(ofServer, time.Now().Add(time.Hour))
			wait, stop := context.WithTimeout(t.Context(), waits)
			require.Error(t, ended(wait))
			stop()
			require.NoError(t, p.Err())
			cancel()
			began := time.Now()
			require.Equal(t, context.Canceled, ended(p))
			require.LessOrEqual(t, time.Since(began), glance)
			v.end()
		}
	})
}
