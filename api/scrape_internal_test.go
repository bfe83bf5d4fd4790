package api

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// Whoever asks for the metrics without an end costs the node a twentieth of its time, and takes nothing from others who ask.
func TestScraper_CollectsForAPartOfTheTime(t *testing.T) {
	now, collections := time.Unix(1_800_000_000, 0), 0
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "collections", Help: "So many."}, func() float64 {
		collections++
		now = now.Add(50 * time.Millisecond)
		return float64(collections)
	}))
	s := newScraper(registry)
	s.now = func() time.Time { return now }
	ask := func() string {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		require.Equal(t, 200, w.Code)
		require.Contains(t, w.Header().Get("Content-Type"), "text/plain")
		return w.Body.String()
	}
	for range 1000 {
		require.Contains(t, ask(), "\ncollections ")
	}
	require.Equal(t, 11, collections, "half a second ahead")
	for range 20 {
		now = now.Add(time.Second)
		ask()
	}
	require.InDelta(t, 31, collections, 1, "a second pays for one of 50 ms")
	now = now.Add(time.Hour)
	before := collections
	for range 1000 {
		ask()
	}
	require.InDelta(t, before+11, collections, 1, "what is not used does not gather")
}
