package api

import (
	"bytes"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// What anybody can make /metrics collect: a part of the time, and some of it ahead. Beyond it a scrape gets the text of the last collection.
const (
	scrapeShare = 20 // one part of so many
	scrapeAhead = 500 * time.Millisecond
)

// scraper serves the metrics. To collect them costs milliseconds, and nobody needs credentials for it.
type scraper struct {
	collect http.Handler
	now     func() time.Time

	mu      sync.Mutex
	last    *scraped      // guarded by mu, as all below; never changed in place
	credit  time.Duration // for collections; below 0: owed
	counted time.Time     // until when the credit was counted
}

func newScraper(of prometheus.Gatherer) *scraper {
	return &scraper{collect: promhttp.HandlerFor(of, promhttp.HandlerOpts{}), now: time.Now}
}

// ServeHTTP writes the metrics as text.
func (s *scraper) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	last := s.scrape()
	w.Header().Set("Content-Type", last.header.Get("Content-Type"))
	w.Header().Set("Content-Length", strconv.Itoa(last.body.Len()))
	w.WriteHeader(last.status)
	_, _ = w.Write(last.body.Bytes()) // a client that hangs up needs nothing
}

// scrape collects the metrics, unless others have made too many collections lately. At most one is under way.
func (s *scraper) scrape() *scraped {
	s.mu.Lock()
	defer s.mu.Unlock()
	begun := s.now()
	if s.counted.IsZero() {
		s.credit = scrapeAhead
	} else {
		s.credit = min(scrapeAhead, s.credit+begun.Sub(s.counted)/scrapeShare)
	}
	s.counted = begun
	if s.last == nil || s.credit > 0 {
		s.last = &scraped{header: http.Header{}, status: http.StatusOK}
		s.collect.ServeHTTP(s.last, &http.Request{Method: http.MethodGet, Header: http.Header{}})
		s.credit -= s.now().Sub(begun)
	}
	return s.last
}

// scraped is a ResponseWriter that keeps the text.
type scraped struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (p *scraped) Header() http.Header         { return p.header }
func (p *scraped) Write(b []byte) (int, error) { return p.body.Write(b) }
func (p *scraped) WriteHeader(status int)      { p.status = status }
