package load

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is the result of a run. Its JSON form is what `creditd bench --json` prints; scripts read it.
type Report struct {
	Addrs             []string `json:"addrs"`
	Connections       int      `json:"connections"`
	Keys              int      `json:"keys"`
	IdentityShared    bool     `json:"identityShared"`
	Cost              int64    `json:"cost"`
	TargetRate        float64  `json:"targetRate,omitempty"` // requests/s asked for; absent in a closed loop
	Seconds           float64  `json:"seconds"`
	Requests          uint64   `json:"requests"` // answered with an expected code
	Failures          uint64   `json:"failures"` // everything else
	RequestsPerSecond float64  `json:"requestsPerSecond"`

	Batch                  int     `json:"batch,omitempty"` // verifications of one request
	VerificationsPerSecond float64 `json:"verificationsPerSecond"`

	LatencyMillis Latency           `json:"latencyMillis"`
	Codes         map[string]uint64 `json:"outcomes"` // by code of the verification
	Errors        map[string]uint64 `json:"errors"`   // by status, or by kind when there was none
}

// Latency holds percentiles of all answers, in milliseconds.
type Latency struct {
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p99.9"`
	P9999 float64 `json:"p99.99"`
	Max   float64 `json:"max"`
}

func newReport(config Config, workers []*worker, elapsed time.Duration) Report {
	latency := newLatencies()
	sum := newTally()
	for _, w := range workers {
		latency.Merge(w.latency) // of the same range, so nothing is dropped
		sum.add(w.tally)
	}
	report := Report{
		Addrs: config.Addrs, Connections: config.Connections, Keys: config.Keys, IdentityShared: config.IdentityShared,
		Cost: config.Cost, TargetRate: config.Rate, Seconds: max(elapsed, 0).Seconds(),
		Requests: (sum.codes[codeValid] + sum.codes[codeExceeded]) / uint64(max(1, config.Batch)), Batch: config.Batch,
		LatencyMillis: latencyOf(latency),
		Codes:         sum.codes, Errors: sum.errors,
	}
	for _, n := range sum.errors {
		report.Failures += n
	}
	if elapsed > 0 {
		report.RequestsPerSecond = float64(report.Requests) / elapsed.Seconds()
		report.VerificationsPerSecond = report.RequestsPerSecond * float64(max(1, config.Batch))
	}
	return report
}

// OK reports whether the figures mean anything: some verifications succeeded and nothing unexpected came back.
func (r Report) OK() bool { return r.Failures == 0 && r.Codes[codeValid] > 0 }

// WriteText prints the report for people.
func (r Report) WriteText(out io.Writer) error {
	var text strings.Builder
	loop := "closed loop: latency of the requests that were sent, waiting before a request not included"
	if r.TargetRate > 0 {
		loop = fmt.Sprintf("%.0f requests/s asked for: latency from the due time of each request", r.TargetRate)
	}
	fmt.Fprintf(&text, "%d connections to %s, %d keys, cost %d\n%s\n\n",
		r.Connections, strings.Join(r.Addrs, " "), r.Keys, r.Cost, loop)
	if r.Batch > 0 {
		fmt.Fprintf(&text, "verified/s  %.0f, %d in a request\n", r.VerificationsPerSecond, r.Batch)
	}
	fmt.Fprintf(&text, "requests    %d in %.2f s\nrequests/s  %.0f\nfailures    %d\n\nlatency ms ",
		r.Requests, r.Seconds, r.RequestsPerSecond, r.Failures)
	for _, row := range []struct {
		name  string
		value float64
	}{
		{"p50", r.LatencyMillis.P50}, {"p90", r.LatencyMillis.P90}, {"p99", r.LatencyMillis.P99},
		{"p99.9", r.LatencyMillis.P999}, {"p99.99", r.LatencyMillis.P9999}, {"max", r.LatencyMillis.Max},
	} {
		fmt.Fprintf(&text, " %s %.3f ", row.name, row.value)
	}
	text.WriteString("\n")
	writeCounts(&text, "\noutcomes", r.Codes)
	writeCounts(&text, "\nerrors", r.Errors)
	_, err := io.WriteString(out, text.String())
	return err
}

func writeCounts(text *strings.Builder, title string, counts map[string]uint64) {
	if len(counts) == 0 {
		return
	}
	text.WriteString(title + "\n")
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(text, "  %-18s %d\n", name, counts[name])
	}
}
