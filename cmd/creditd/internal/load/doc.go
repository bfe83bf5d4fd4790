// Package load drives keys.verifyKey, or keys.verifyKeys, over HTTP and measures what the caller sees. It exists for `creditd bench`.
//
// It usually shares its cores with the server it measures, so a request costs as little as it can: one goroutine per
// keep-alive connection, request bytes made before the run, one write and one read per request, a parser that looks
// only for what it checks. Every answer is still checked: status, `valid` and `code`.
//
// Without a rate the loop is closed: a connection sends its next request when the last one is answered, so a stall of
// the server also stops the requests that would have seen it, and percentiles are those of the requests that were
// sent. With a rate every request has its due time and latency counts from there, stalls included.
package load
