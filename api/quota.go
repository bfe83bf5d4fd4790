package api

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/creditd/creditd/fsm"
)

// requestQuotas counts the requests of workspaces that have a quota of them. Each node counts those that it receives itself: docs/contract.md
// 7.2. It has an entry for each such workspace, which only operators make.
type requestQuotas struct {
	mu      sync.Mutex
	windows map[string]requestWindow // guarded by mu: by workspace
}

// requestWindow is the second that began with the first request after the window before.
type requestWindow struct {
	begun time.Time
	count int64
}

// take counts a request, unless the workspace has made all that it may make in this second. It returns what is left, and when the window ends.
func (q *requestQuotas) take(workspaceID string, perSecond int64, now time.Time) (remaining int64, reset time.Duration, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.windows[workspaceID]
	if now.Sub(w.begun) >= time.Second {
		w = requestWindow{begun: now}
	}
	if ok = w.count < perSecond; ok {
		w.count++
	}
	if q.windows == nil {
		q.windows = map[string]requestWindow{}
	}
	q.windows[workspaceID] = w
	return max(0, perSecond-w.count), time.Second - now.Sub(w.begun), ok
}

// countRequest refuses a request beyond the quota of the caller's workspace. Without any such quota in the ledger it does nothing. Callers who
// are not authenticated are not counted: the ledger refuses them.
func (c *call) countRequest() error {
	workspaceID, perSecond := c.api.node.RequestQuota(c.actor)
	if perSecond == 0 {
		return nil
	}
	remaining, reset, ok := c.api.quotas.take(workspaceID, perSecond, time.Now())
	seconds := strconv.FormatInt(int64((reset+time.Second-1)/time.Second), 10)
	header := c.gin.Writer.Header()
	header.Set(headerRateLimit, strconv.FormatInt(perSecond, 10))
	header.Set(headerRateRemaining, strconv.FormatInt(remaining, 10))
	header.Set(headerRateReset, seconds)
	if !ok {
		return &problem{errorType: &tooManyRequests, detail: fmt.Sprintf("The workspace has used up its quota of %d %s", perSecond, fsm.QuotaNames[fsm.RequestsQuota])}
	}
	return nil
}
