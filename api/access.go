package api

import (
	"context"
	"log/slog"
	"time"

	"github.com/creditd/creditd/api/tracing"
	"github.com/creditd/creditd/fsm"
)

// AccessLog gets a line for each request to an endpoint. A line never has a key.
type AccessLog struct {
	Logger *slog.Logger
	// Caller names the workspace and the id of a root key; both are empty if it is not known.
	Caller func(actor fsm.Hash) (workspaceID, rootKeyID string)
}

// logAccess writes the line of this request, once its answer was sent or cut short.
func (c *call) logAccess(took time.Duration) {
	var workspaceID, rootKeyID string
	if c.actor != (fsm.Hash{}) {
		workspaceID, rootKeyID = c.api.access.Caller(c.actor)
	}
	c.api.access.Logger.LogAttrs(context.Background(), slog.LevelInfo, "request",
		slog.String("requestId", string(c.id[:])), slog.String("endpoint", c.endpoint.name), slog.Int("status", c.status()),
		slog.String("code", c.code), slog.Duration("duration", took), slog.String("workspace", workspaceID), slog.String("rootKey", rootKeyID),
		slog.String("from", c.gin.Request.RemoteAddr))
}

// endSpan ends the span of this request, once its answer was sent or cut short.
func (c *call) endSpan(at time.Time) {
	c.api.traces.End(c.span, tracing.Outcome{At: at, Status: c.status(), Code: c.code, RequestID: string(c.id[:]), Actor: c.actor})
}

// logRefusal writes a line for a request that got an error, at level debug. The detail stays out: it may quote the request.
func (c *call) logRefusal(p *problem) {
	if !c.api.logger.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("requestId", string(c.id[:])), slog.String("endpoint", c.endpoint.name), slog.Int("status", p.status), slog.String("code", p.path),
		slog.String("from", c.gin.Request.RemoteAddr),
	}
	if p.cause != nil {
		attrs = append(attrs, slog.String("cause", p.cause.Error()))
	}
	c.api.logger.LogAttrs(context.Background(), slog.LevelDebug, "request refused", attrs...)
}
