package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// A client whose connection closes under a request cannot know whether it was debited. So the node tells its clients earlier to use another
// node.
func TestMember_DismissesClientsWhenStopping(t *testing.T) {
	m := &servedNode{}
	server := httptest.NewServer(m.closingConnections(http.NotFoundHandler()))
	defer server.Close()
	for _, stopping := range []bool{false, true} {
		m.closing.Store(stopping)
		response, err := http.Get(server.URL)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, stopping, response.Close)
	}
}
