package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/creditd/creditd/api/tracing"
	"github.com/creditd/creditd/fsm"
)

// API serves the HTTP contract on behalf of one node.
type API struct {
	node     Node
	logger   *slog.Logger
	access   *AccessLog        // nil: none
	traces   *tracing.Requests // nil: none
	registry *prometheus.Registry
	metrics  *metrics
	maxBody  int64
	// operatorKey is Config.OperatorKey.
	operatorKey fsm.Hash
	timeout     time.Duration

	smallBodies, largeBodies, answers *budget
	answerSizes                       answerSizes
	minRate                           int64 // bytes per second
	ratePatience                      time.Duration
	memoryShort                       func() bool

	engine   *gin.Engine
	admin    *gin.Engine // the pages that need no credentials and tell of the node; engine, unless they are separate
	quotas   requestQuotas
	failures *failures

	exportRests exportRests
	exporting   [2]sync.Mutex // held by the only export of a tenant, and of an operator
	saving      sync.Mutex    // held while a snapshot is sent
}

// New makes an API. It starts nothing and holds nothing that needs closing.
func New(config Config) (*API, error) { return serving(config, endpoints()) }

// serving makes an API of these endpoints.
func serving(config Config, endpoints []*endpoint) (*API, error) {
	config = config.withDefaults()
	if err := config.Validate(); err != nil {
		return nil, err
	}
	a := &API{
		node: config.Node, logger: config.Logger, access: config.AccessLog, traces: config.Traces, registry: config.Registry,
		maxBody: config.MaxBodyBytes, operatorKey: config.OperatorKey, timeout: config.RequestTimeout,
		smallBodies: newBudget(config.BodyMemory / smallBodyShare), largeBodies: newBudget(config.BodyMemory - config.BodyMemory/smallBodyShare),
		answers: newBudget(config.AnswerMemory), answerSizes: answerSizes{mean: map[answerSource]int64{}},
		minRate: config.MinRate, ratePatience: config.RatePatience, memoryShort: config.MemoryShort,
	}
	var err error
	var failing []prometheus.Collector
	a.failures, failing = newFailures(config)
	if a.metrics, err = newMetrics(config.Registry, config.Version, a, failing); err != nil {
		return nil, fmt.Errorf("api: register metrics: %w", err)
	}
	gin.SetMode(gin.ReleaseMode)
	a.engine = gin.New()
	a.engine.HandleMethodNotAllowed = true // 405 instead of 404; see contract 1.1
	a.engine.RedirectTrailingSlash = false // clients drop credentials on redirects
	a.admin = a.engine
	if config.SeparateAdmin {
		a.admin = gin.New()
	}
	for _, e := range endpoints {
		e.metrics = a.metrics.endpoint(e.name)
		a.engine.POST(e.path, a.serve(e))
	}
	a.probes()
	a.unserved(endpoints)
	a.document(endpoints, config.Version)
	return a, nil
}

// Admin returns the handler of /metrics and /openapi.json, and of the probes.
func (a *API) Admin() http.Handler { return a.admin }

// Handler returns the handler of all routes.
func (a *API) Handler() http.Handler { return a.engine }
