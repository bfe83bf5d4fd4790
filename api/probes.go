package api

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/gin-gonic/gin"
)

// probes adds the routes that need no credentials: docs/contract.md 2.1 and 7.2.
func (a *API) probes() {
	live := &endpoint{name: "liveness", run: liveness, metrics: a.metrics.endpoint("liveness")}
	a.engine.GET("/v2/liveness", a.serve(live))
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, engine := range slices.Compact([]*gin.Engine{a.engine, a.admin}) {
			engine.Handle(method, "/healthz", healthz)
			engine.Handle(method, "/readyz", a.readyz)
		}
	}
	a.admin.GET("/metrics", a.impatiently(gin.WrapH(newScraper(a.registry))))
}

// impatiently cuts off a client that does not take an answer which needs no credentials.
func (a *API) impatiently(handler gin.HandlerFunc) gin.HandlerFunc {
	return func(g *gin.Context) {
		if conn := connectionOf(g.Writer); conn != nil {
			_ = conn.SetWriteDeadline(time.Now().Add(a.ratePatience)) // a closed one fails the write, too
		}
		handler(g)
	}
}

type livenessData struct {
	Message string `json:"message"`
}

func liveness(*call) (any, error) { return livenessData{"creditd is alive"}, nil }

func healthz(g *gin.Context) { g.String(http.StatusOK, "ok\n") }

// readyz tells a load balancer whether to send requests here.
func (a *API) readyz(g *gin.Context) {
	err := a.node.Ready()
	if err == nil {
		g.String(http.StatusOK, "ready\n")
		return
	}
	why := "not ready"
	var f *fault.Error
	if errors.As(err, &f) && f.Detail != "" {
		why += ": " + f.Detail
	}
	g.Header("Retry-After", retryAfter[0])
	g.String(http.StatusServiceUnavailable, why+"\n")
}
