package membership

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/gossip"
)

func claimant(id, addr string) gossip.Member {
	return gossip.Member{ID: id, Meta: gossip.Meta{PeerAddr: addr}}
}

// A member counts only after the node at its address has answered with its id, and not for ever.
func TestProofs_WantTheAnswerOfTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := map[string]string{"a:1": "a", "b:1": "b"}
		p := newProofs(func(_ context.Context, addr string) (string, error) {
			if id := at[addr]; id != "" {
				return id, nil
			}
			return "", errors.New("refused")
		})
		ctx := t.Context()
		require.False(t, p.has(ctx, claimant("a", "a:1")), "it was not asked yet")
		<-p.due
		require.True(t, p.has(ctx, claimant("a", "a:1")))
		<-time.After(proofLasts)
		require.False(t, p.has(ctx, claimant("a", "a:1")), "it may be gone by now")
		<-p.due

		for range 100 { // another node is there, and nobody
			require.False(t, p.has(ctx, claimant("a", "b:1")))
			require.False(t, p.has(ctx, claimant("a", "c:1")))
			<-time.After(time.Second)
		}
	})
}

// Members that never answer are asked less and less, a few at a time, and cost nothing when they are gone. One that answers gets its turn.
func TestProofs_AreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		asked, asking, most := 0, 0, 0
		p := newProofs(func(ctx context.Context, addr string) (string, error) {
			mu.Lock()
			asked++
			asking++
			most = max(most, asking)
			mu.Unlock()
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				asking--
			}()
			if addr == "z:1" {
				return "z", nil
			}
			<-ctx.Done()
			return "", ctx.Err()
		})
		members := []gossip.Member{}
		for i := range 250 {
			members = append(members, claimant(fmt.Sprintf("invented-%03d", i), fmt.Sprintf("blackhole:%d", i)))
		}
		members = append(members, claimant("z", "z:1"))
		began := time.Now()
		for proved := false; !proved; {
			p.keep(members)
			for _, m := range members {
				if p.has(t.Context(), m) {
					require.Equal(t, "z", m.ID)
					proved = true
				}
			}
			<-time.After(100 * time.Millisecond)
			require.Less(t, time.Since(began), 2*time.Minute, "a member that answers waits for the others")
		}
		for range 600 {
			p.keep(members)
			for _, m := range members[:250] {
				p.has(t.Context(), m)
			}
			<-time.After(time.Second)
		}
		mu.Lock()
		require.LessOrEqual(t, most, maxAsking)
		require.Less(t, asked, 250*20, "in ten minutes")
		mu.Unlock()
		<-time.After(time.Minute)
		p.keep(nil)
		require.Empty(t, p.claims)
	})
}

func TestUnproven_AreNonVotersThatNeverAnswered(t *testing.T) {
	servers := []raft.Server{{ID: "self", Suffrage: raft.Nonvoter}, {ID: "voter", Suffrage: raft.Voter}, {ID: "new", Suffrage: raft.Nonvoter}}
	for i := range 300 {
		servers = append(servers, raft.Server{ID: raft.ServerID(fmt.Sprint("invented-", i)), Suffrage: raft.Nonvoter})
	}
	unproven := unprovenOf(servers, "self", map[string]bool{"new": true})
	require.Len(t, unproven, maxDropped)
	require.Equal(t, raft.ServerID("invented-0"), unproven[0].ID)
	require.Empty(t, unprovenOf(servers[:3], "self", map[string]bool{"new": true}))
}
