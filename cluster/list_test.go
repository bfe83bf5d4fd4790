package cluster_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/fsm"
)

// A list is read page by page, each page from another node, while other nodes create and delete keys. It has every key that existed
// throughout exactly once, and no other key twice.
func TestCluster_ListsEveryKeyOnceWhileKeysComeAndGo(t *testing.T) {
	keys := 100_000
	if raceDetector { // which makes all of this several times slower
		keys = 30_000
	}
	c := clustertest.New(t, 3, nil)
	migrateKeys(t, c, keys)
	began := time.Now()
	changing := changeKeys(c)
	var seen []string
	page := fsm.Page{Limit: 100}
	pages := 0
	for ; pages == 0 || page.Cursor != ""; pages++ {
		answer := c.Ask(pages%3, &fsm.ListKeys{APIID: "api_1", Page: page}).(*fsm.Keys)
		for _, k := range answer.List {
			seen = append(seen, k.ID)
		}
		page.Cursor = answer.Next
		if page.Cursor != "" {
			changing.cursors[(pages+2)%3] <- page.Cursor // the next page comes from another node
		}
	}
	created, deleted := changing.stop(t)
	t.Logf("%d keys in %d pages while %d were created and %d deleted: %v", len(seen), pages, created, len(deleted), time.Since(began))

	require.Equal(t, pages-1, created)
	require.Len(t, deleted, pages-1)
	require.True(t, slices.IsSorted(seen))
	require.Len(t, slices.Compact(slices.Clone(seen)), len(seen), "a key was listed twice")
	for n := range keys {
		if id := listedKeyID(n); !deleted[id] {
			_, found := slices.BinarySearch(seen, id)
			require.True(t, found, "%s was there throughout and is missing", id)
		}
	}
	c.WaitSameDigest()
}

func listedKeyID(n int) string { return fmt.Sprintf("key_%08x", n) }

// migrateKeys makes an API with keys, many with one command.
func migrateKeys(t *testing.T, c *clustertest.Cluster, keys int) {
	t.Helper()
	require.IsType(t, &fsm.Created{}, c.Do(0, &fsm.CreateAPI{ID: "api_1", KeyspaceID: "ks_1", Name: "api"}))
	require.IsType(t, &fsm.Done{}, c.Do(0, &fsm.CreateMigration{ID: "mig_1", Algorithm: fsm.SHA256}))
	for n := 0; n < keys; {
		command := &fsm.MigrateKeys{MigrationID: "mig_1", APIID: "api_1"}
		for ; n < keys && len(command.Keys) < 1000; n++ {
			command.Keys = append(command.Keys, fsm.MigratedKey{
				ID: listedKeyID(n), Hash: fsm.Hash{1, byte(n), byte(n >> 8), byte(n >> 16)}, Form: fsm.SHA256, Enabled: true, Expires: fsm.Never,
			})
		}
		require.NotContains(t, c.Do(0, command).(*fsm.Migrated).IDs, "")
	}
}

// changing creates and deletes keys where a list is being read.
type changing struct {
	cursors []chan string // one for each node: where the list goes on
	writers sync.WaitGroup

	mu      sync.Mutex
	created int             // guarded by mu
	deleted map[string]bool // guarded by mu
	failed  error           // guarded by mu
}

func changeKeys(c *clustertest.Cluster) *changing {
	w := &changing{deleted: map[string]bool{}}
	for i, node := range c.Nodes {
		cursors := make(chan string)
		w.cursors = append(w.cursors, cursors)
		w.writers.Go(func() {
			for n := 0; ; n++ {
				cursor, open := <-cursors
				if !open {
					return
				}
				hash := fsm.Hash{2, byte(i), byte(n), byte(n >> 8)}
				id := fmt.Sprintf("key_%x", hash[:4]) // at the end of the list
				if n%2 == 0 {
					id = fmt.Sprintf("%s_%x", cursor, hash[:4]) // right behind the cursor
				}
				w.change(node, id, hash, cursor)
			}
		})
	}
	return w
}

// change deletes the key that the cursor names, and creates another one.
func (w *changing) change(node *clustertest.Node, id string, hash fsm.Hash, cursor string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	do := func(command fsm.Command) bool {
		r, _, err := node.Execute(ctx, fsm.Call{Actor: clustertest.RootKey, Command: command})
		if refusal, refused := r.(*fsm.Refusal); refused && err == nil {
			err = fmt.Errorf("%T of %s: %+v", command, cursor, refusal)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if err != nil {
			w.failed = err
			return false
		}
		return true
	}
	deleted := do(&fsm.DeleteKey{KeyID: cursor})
	created := do(&fsm.CreateKey{ID: id, Hash: hash, APIID: "api_1", Enabled: true, Expires: fsm.Never})
	w.mu.Lock()
	defer w.mu.Unlock()
	if created {
		w.created++
	}
	if deleted {
		w.deleted[cursor] = true
	}
}

// stop returns how many keys were created, and which were deleted.
func (w *changing) stop(t *testing.T) (created int, deleted map[string]bool) {
	for _, cursors := range w.cursors {
		close(cursors)
	}
	w.writers.Wait()
	require.NoError(t, w.failed)
	return w.created, w.deleted
}
