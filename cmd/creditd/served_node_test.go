package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// A client whose connection is closed under a request cannot tell whether it was charged; so it is told before to go elsewhere.
func TestMember_DismissesClientsWhenStopping(t *testing.T) {
	m := &servedNode{}
	server := httptest.NewServer(m.closingConnections(http.NotFoundHandler()))
	defer server.Close()
	for _, stopping := range []bool{false, true} {
		m.stopping.Store(stopping)
		response, err := http.Get(server.URL)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, stopping, response.Close)
	}
}
