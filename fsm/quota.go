package fsm

import "fmt"

// quotaRetryAfter is the number of seconds after which a caller may ask whether a quota has room. Time alone makes none.
const quotaRetryAfter = 60

// room refuses to add things if the workspace would exceed a quota. Commands ask last, once for all that they add. Nothing that exists is
// touched: a quota may be set below what there is.
func (w *workspace) room(more Usage) *Refusal {
	for kind, n := range more {
		if q := w.quotas[kind]; n > 0 && q.Limited && w.used[kind]+n > q.Limit {
			return w.exhausted(QuotaKind(kind), quotaRetryAfter)
		}
	}
	return nil
}

func (w *workspace) exhausted(kind QuotaKind, retryAfter int64) *Refusal {
	detail := fmt.Sprintf("The workspace has used up its quota of %d %s", w.quotas[kind].Limit, QuotaNames[kind])
	return &Refusal{Code: QuotaExceeded, Detail: detail, RetryAfter: retryAfter}
}

// usage is what the workspace has of each kind.
func (w *workspace) usage() Usage {
	used := w.used
	used[OutcomesQuota] = int64(w.outcomes.weight)
	return used
}

// setQuotas replaces the quotas of a workspace.
func (t *tenancy) setQuotas(w *workspace, q Quotas) {
	if w.quotas[RequestsQuota].Limited {
		t.requestQuotas--
	}
	if q[RequestsQuota].Limited {
		t.requestQuotas++
	}
	w.quotas = q
}

// HasRequestQuotas reports whether any workspace has a quota of requests, so that nodes need not ask for each request.
func (t *tenancy) HasRequestQuotas() bool { return t.requestQuotas > 0 }

// RequestQuota returns the workspace of a root key and how many requests per second it may make; 0: any number, or the root key is refused
// anyway.
func (t *tenancy) RequestQuota(actor Hash) (workspaceID string, perSecond int64) {
	root, refusal := t.authenticate(actor)
	if refusal != nil {
		return "", 0
	}
	return root.workspace.id, root.workspace.quotas[RequestsQuota].Limit
}

// Caller returns the workspace and the id of a root key, for logs; both are empty if it is unknown.
func (t *tenancy) Caller(actor Hash) (workspaceID, rootKeyID string) {
	if root := t.rootByHash[actor]; root != nil {
		return root.workspace.id, root.id
	}
	return "", ""
}

// WorkspaceOf names the workspace of a root key, whether or not it may do anything; "": the root key is unknown.
func (t *tenancy) WorkspaceOf(actor Hash) string {
	if root := t.rootByHash[actor]; root != nil {
		return root.workspace.id
	}
	return ""
}
