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
		m.draining.Store(stopping)
		m.closing.Store(stopping)
		response, err := http.Get(server.URL)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, stopping, response.Close)
	}
}

// A request may begin while the node drains and take longer than that. Its answer dismisses the client as well, however it begins.
func TestMember_DismissesClientsOfRequestsUnderWay(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"status": func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) },
		"body":   func(w http.ResponseWriter) { _, _ = w.Write([]byte("answer")) },
		"flush":  func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
	} {
		t.Run(name, func(t *testing.T) {
			m := &servedNode{}
			server := httptest.NewServer(m.closingConnections(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				m.closing.Store(true) // meanwhile
				begin(w)
			})))
			defer server.Close()
			m.draining.Store(true)
			response, err := http.Get(server.URL)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.True(t, response.Close)
		})
	}
}
