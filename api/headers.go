package api

import (
	"crypto/sha256"
	"net/http"
	"strconv"
	"strings"

	"github.com/creditd/creditd/api/schema"
)

// Names of headers, in the canonical form of the keys of a header map.
const (
	headerConsistency    = "Creditd-Consistency"
	headerIdempotencyKey = "Idempotency-Key"
	headerReplayed       = "Idempotency-Replayed"
	headerIndex          = "Creditd-Index"
	headerMinIndex       = "Creditd-Min-Index"
	headerOutcome        = "Creditd-Outcome"
	headerRateLimit      = "Ratelimit-Limit"
	headerRateRemaining  = "Ratelimit-Remaining"
	headerRateReset      = "Ratelimit-Reset"
)

func missingAuthorization() *problem {
	return &problem{
		errorType: &invalidInput, detail: "Authorization header for 'bearer' scheme", validation: true,
		violations: []schema.Violation{{
			Location: "security",
			Message:  "The Authorization header is missing",
			Fix:      "Send the header 'Authorization: Bearer <root key>'",
		}},
	}
}

// checkContentType accepts application/json with any parameters.
func checkContentType(contentType string) error {
	if contentType == "application/json" {
		return nil
	}
	media, _, _ := strings.Cut(contentType, ";")
	if strings.EqualFold(strings.TrimSpace(media), "application/json") {
		return nil
	}
	return &problem{
		errorType: &invalidInput, detail: "POST operation request content type '" + contentType + "' does not exist", validation: true,
		violations: []schema.Violation{{
			Location: "requestBody",
			Message:  "The content type '" + contentType + "' is not supported",
			Fix:      "Send the body as JSON with the header 'Content-Type: application/json'",
		}},
	}
}

// readHeaders reads the credentials and options of a request. It checks only their form.
func (c *call) readHeaders() error {
	header := c.gin.Request.Header
	token, ok := bearerToken(header)
	if !ok {
		return &problem{errorType: &malformedAuthorization}
	}
	c.hashActor(token)
	if values, ok := header[headerIdempotencyKey]; ok {
		if err := c.readIdempotencyKey(values, token); err != nil {
			return err
		}
	}
	if c.endpoint.reads {
		return c.readConsistency()
	}
	return nil
}

// bearerToken is the root key of a request.
func bearerToken(header http.Header) (token string, ok bool) {
	token, ok = strings.CutPrefix(header.Get("Authorization"), "Bearer ")
	token = strings.Trim(token, " ")
	return token, ok && token != ""
}

// hashActor keeps the hash of the caller's root key, which is all that leaves this package. It borrows the buffer of the answer,
// so that hashing allocates nothing.
func (c *call) hashActor(token string) {
	c.out = append(c.out[:0], token...)
	c.actor = sha256.Sum256(c.out)
	clear(c.out)
}

// readConsistency reads the headers of contract 7.1 that choose the consistency of a read. A linearizable read includes every index
// that a client can know, so an index alone means a stale read.
func (c *call) readConsistency() error {
	header := c.gin.Request.Header
	if values, ok := header[headerConsistency]; ok {
		if len(values) != 1 || values[0] != "stale" {
			return invalid("The header Creditd-Consistency must be 'stale' or left out")
		}
		c.consistency.stale = true
	}
	if values, ok := header[headerMinIndex]; ok {
		index, err := strconv.ParseUint(values[0], 10, 64)
		if err != nil || len(values) != 1 {
			return invalid("The header Creditd-Min-Index must be a log index: a decimal number")
		}
		c.consistency = consistency{stale: true, minIndex: index}
	}
	return nil
}
