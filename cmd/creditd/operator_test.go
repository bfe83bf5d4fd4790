package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/client"
)

// A request that any node can serve goes to a follower, wherever the leader stands in --addr. Without an answer the order stays.
func TestOperator_AsksFollowersFirst(t *testing.T) {
	serve := func(nodeID, leaderID string, status int) *client.Client {
		node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"meta":{"requestId":"req_1"},"data":{"nodeId":%q,"leaderId":%q}}`, nodeID, leaderID)
		}))
		t.Cleanup(node.Close)
		return client.New(client.Config{Node: node.URL, Timeout: dialTimeout, DialTimeout: dialTimeout})
	}
	leader, follower, down := serve("n1", "n1", 200), serve("n2", "n1", 200), serve("", "", 503)
	for name, one := range map[string]struct{ given, want []*client.Client }{
		"the leader first": {[]*client.Client{leader, down, follower}, []*client.Client{down, follower, leader}},
		"the leader last":  {[]*client.Client{follower, leader}, []*client.Client{follower, leader}},
		"no leader":        {[]*client.Client{down, follower}, []*client.Client{down, follower}},
		"one node":         {[]*client.Client{leader}, []*client.Client{leader}},
	} {
		o := operator{connection: connection{nodes: one.given}}
		o.askFollowersFirst()
		require.Equal(t, one.want, o.nodes, name)
	}
}
