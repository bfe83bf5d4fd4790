// Package load drives keys.verifyKey, or keys.verifyKeys, over HTTP and measures what the caller sees. It exists for `creditd bench`.
//
// It usually shares its cores with the server it measures, so a request costs as little as possible. There is one goroutine per keep-alive
// connection. The bytes of requests are made before the run. A request is one write and one read, and the parser looks only for what it
// checks. Every answer is still checked: status, `valid` and `code`.
//
// Without a rate the loop is closed: a connection sends its next request after the last answer. So a stall of the server also stops the
// requests that would have seen it. The percentiles are those of the requests that were sent. With a rate every request has its due time
// and latency counts from there, stalls included.
package load
