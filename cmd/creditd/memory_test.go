package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/stretchr/testify/require"
)

func TestMemory_TheSmallestLimitCounts(t *testing.T) {
	none := func() (uint64, error) { return 0, errors.New("no limit") }
	for _, test := range []struct {
		cgroup, system memlimit.Provider
		bytes          uint64
		source         string
	}{
		{memlimit.Limit(100), memlimit.Limit(200), 100, "cgroup"},
		{memlimit.Limit(300), memlimit.Limit(200), 200, "machine"},
		{none, memlimit.Limit(200), 200, "machine"},
		{memlimit.Limit(100), none, 100, "cgroup"},
	} {
		bytes, source := smallest(test.cgroup, test.system)
		require.Equal(t, test.bytes, bytes)
		require.Equal(t, test.source, source)
	}
	_, source := smallest(none, none)
	require.Empty(t, source)

	require.EqualValues(t, 64<<20, roomWithin(100<<20, 256<<20), "the largest request fits in any case")
	require.EqualValues(t, 128<<20, roomWithin(1<<30, 256<<20))
	require.EqualValues(t, 256<<20, roomWithin(100<<30, 256<<20))
}

// The watch does not flap, and asks for a collection when nothing else would show that memory is free again.
func TestMemory_ShortageEndsWithRoomToSpare(t *testing.T) {
	used, collections, collected := int64(0), uint64(1), 0
	w := &memoryWatch{limit: 1000, logger: slog.New(slog.DiscardHandler), read: func() (int64, uint64) { return used, collections },
		collect: func() { collected++; collections++ }}
	now := time.Now()
	for _, step := range []struct {
		used  int64
		short bool
	}{{0, false}, {840, false}, {860, true}, {800, true}, {760, true}, {740, false}, {840, false}, {900, true}} {
		used = step.used
		w.step(now)
		require.Equal(t, step.short, w.short.Load(), "%d", step.used)
	}
	w.step(now.Add(collectInterval))
	require.Zero(t, collected)
	for range 3 {
		w.step(now.Add(collectInterval + 1))
	}
	require.Equal(t, 1, collected)
	used = 100
	w.step(now.Add(3 * collectInterval))
	require.Equal(t, 2, collected)
	require.False(t, w.short.Load())
	w.step(now.Add(5 * collectInterval))
	require.Equal(t, 2, collected, "there is no need")
}

// A little in use does not mean that little garbage may gather. The more there is in use, the less is added to what Go does by itself.
func TestGCPace_LetsAFixedAmountOfGarbageGather(t *testing.T) {
	t.Setenv("GOGC", "")
	var set []int
	p := newGCPace(1 << 40)
	p.set = func(percent int) int { set = append(set, percent); return 0 }
	for _, used := range []int64{1 << 20, 32 << 20, 33 << 20, 64 << 20, 120 << 20, 1 << 30, 2 << 30, 20 << 20} {
		p.after(used)
	}
	require.Equal(t, []int{1600, 400, 200, 106, 640}, set)
	require.EqualValues(t, 16<<20, newGCPace(256<<20).room)

	t.Setenv("GOGC", "50")
	require.Nil(t, newGCPace(1<<40))
	newGCPace(1 << 40).after(1)
	newGCPace(1 << 40).pause()
	newGCPace(1<<40).goOn(1, 1)
}

// While a ledger is loaded nothing is collected. Then as much garbage may gather as after a collection that left what is in use.
func TestGCPace_PausesWhileALedgerIsLoaded(t *testing.T) {
	t.Setenv("GOGC", "")
	var set []int
	p := newGCPace(1 << 40)
	p.set = func(percent int) int { set = append(set, percent); return 0 }
	p.pause()
	p.after(100 << 20) // because of the memory limit
	p.goOn(400<<20, 8<<20)
	p.after(400 << 20)
	p.pause()
	p.goOn(1<<20, 1<<20) // an empty ledger
	require.Equal(t, []int{-1, 10000, 100, -1, 3225}, set)

	unlimited := newGCPace(math.MaxInt64)
	unlimited.set = func(int) int { panic("without a limit garbage would never be collected") }
	unlimited.pause()
	unlimited.goOn(1, 1)
}

// Only a collection shows what is in use after a load, and a node that does little would wait long for one.
func TestMemory_CollectsSomeTimeAfterALoad(t *testing.T) {
	collections, collected := uint64(1), 0
	w := &memoryWatch{limit: 1000, logger: slog.New(slog.DiscardHandler), read: func() (int64, uint64) { return 1, collections },
		collect: func() { collected++; collections++ }}
	w.step(time.Now())
	require.NoError(t, w.load(func() error { return nil }))
	w.step(time.Now())
	require.Zero(t, collected)
	for i := range 3 {
		w.step(time.Now().Add(time.Duration(i+1) * 2 * collectInterval))
	}
	require.Equal(t, 1, collected)
	require.NoError(t, w.load(func() error { return nil }))
	collections++ // another reason
	w.step(time.Now())
	w.step(time.Now().Add(9 * collectInterval))
	require.Equal(t, 1, collected)
}

func TestMemory_ReadsWhatIsInUse(t *testing.T) {
	used, collections := readMemory()()
	require.Positive(t, used)
	require.Less(t, used, int64(4<<30))
	w, stop := watchMemory(1<<40, slog.New(slog.DiscardHandler))
	defer stop()
	await(t, func() bool { return w.used.Load() > 0 })
	_ = collections
}

// A node near its memory limit refuses what is large, goes on with what is small, and loses nothing.
func TestMemory_ANodeNearItsLimitRefusesLargeRequests(t *testing.T) {
	args := alone(t, t.TempDir(), "--disk-reserve", "0")
	p := start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey, "GOMEMLIMIT=100MiB"}, args...)
	p.await(p.stderr, `msg="memory limit" bytes=104857600 from=GOMEMLIMIT`)
	p.await(p.stderr, `msg=ready`)
	c := p.client(testRootKey)
	key := addCustomer(t, c, "alice", 100)
	meta, large := object{"a": strings.Repeat("x", 1<<20-100)}, 0
	await(t, func() bool {
		answer := c.Call(context.Background(), "identities.createIdentity", object{"externalId": fmt.Sprint("fat", large), "meta": meta}, nil)
		if answer.Err == nil {
			large++
			return false
		}
		require.Equal(t, http.StatusTooManyRequests, answer.Status, answer.Err)
		return true
	})
	require.Equal(t, http.StatusTooManyRequests, c.Call(context.Background(), "identities.listIdentities", object{}, nil).Status)
	must[object](t, c, "keys.verifyKey", object{"key": key, "credits": object{"cost": 30}})
	p.await(p.stderr, `msg="memory is nearly used up: large requests are refused"`)
	address := p.await(p.stderr, `msg=started .*http=(\S+)`)[1]
	re, err := http.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer re.Body.Close()
	text, err := io.ReadAll(re.Body)
	require.NoError(t, err)
	require.Contains(t, string(text), "\ncreditd_memory_short 1\n")
	require.Contains(t, string(text), "\ncreditd_memory_limit_bytes 1.048576e+08\n")
	p.terminate()

	p, c = startMember(t, args...)
	require.EqualValues(t, 70, balance(t, c, "alice"))
	must[object](t, c, "identities.createIdentity", object{"externalId": fmt.Sprint("fat", large), "meta": meta})
	p.terminate()
}
