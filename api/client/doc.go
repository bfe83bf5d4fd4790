// Package client calls the HTTP API of creditd nodes. The command line and the scripts use it; the server does not.
//
// A call says whether it was executed: yes, no, or unknown. The package never repeats a request on its own, so one call is
// at most one execution. It knows the envelope of answers and the headers of the contract, and no endpoint by name.
package client
