package api

import (
	"strings"

	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type listAuditRequest struct {
	Limit      pageLimit               `json:"limit"`
	Cursor     pageCursor              `json:"cursor"`
	ResourceID string                  `json:"resourceId" schema:"minLength=1,maxLength=255" doc:"Only entries that name this resource."`
	ActorID    string                  `json:"actorId" schema:"minLength=1,maxLength=255" doc:"Only entries of this root key."`
	Event      eventName               `json:"event"`
	From       expiry                  `json:"from"`
	To         schema.Optional[expiry] `json:"to"`
}

type eventName string

func (eventName) SchemaTag() string {
	return `schema:"enum=` + strings.Join(fsm.EventNames(), "|") + `"`
}

type auditEntryOut struct {
	Index      uint64          `json:"index" doc:"The index of the log entry, as in Creditd-Index."`
	Time       int64           `json:"time"`
	Event      string          `json:"event"`
	Actor      auditActor      `json:"actor"`
	Resources  []auditResource `json:"resources"`
	Omitted    int64           `json:"omitted,omitempty" doc:"The number of resources that are not listed."`
	Balances   []auditBalance  `json:"balances,omitempty"`
	RequestID  string          `json:"requestId,omitempty"`
	RemoteAddr string          `json:"remoteAddr,omitempty"`
	UserAgent  string          `json:"userAgent,omitempty"`
}

type auditActor struct {
	KeyID string `json:"keyId" doc:"The id of the root key."`
	Name  string `json:"name,omitempty"`
}

type auditResource struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

type auditBalance struct {
	Type   string `json:"type" doc:"key or identity."`
	ID     string `json:"id"`
	Before *int64 `json:"before" doc:"null: unlimited, or it did not exist yet."`
	After  *int64 `json:"after" doc:"null: unlimited, or it no longer exists."`
}

// listAudit is audit.listEntries, docs/contract.md 7.4.
func listAudit() *endpoint {
	return read("audit.listEntries", about{
		summary: "List who changed what in the workspace, the newest entry first",
		text: "Entries are kept for 30 days, and at most 100,000 of a workspace, where one of more than 1 KiB counts once per KiB. A page looks at " +
			"10,000 entries: with filters it may be short, or empty, although there are more. `from` and `to` are Unix milliseconds. Entries at `to` or later are left out.",
		needs:   []need{forAll(fsm.ReadAuditPermission)},
		example: `{"limit":20,"resourceId":"` + exampleKey + `"}`,
	}, func(c *call, req listAuditRequest) (page[auditEntryOut], error) {
		return ask(c, &fsm.ListAudit{
			ResourceID: req.ResourceID, ActorID: req.ActorID, Event: string(req.Event), From: int64(req.From), To: expiresAt(req.To),
			Page: wantedPage(req.Limit, req.Cursor),
		}, func(found *fsm.AuditEntries) page[auditEntryOut] {
			return pageOf(found.List, found.Next, showAuditEntry)
		})
	})
}

func showAuditEntry(e *fsm.AuditEntry) auditEntryOut {
	shown := auditEntryOut{
		Index: e.Index, Time: e.Time, Event: e.Event.String(), Actor: auditActor{e.ActorID, e.ActorName}, Omitted: e.Omitted,
		Resources: make([]auditResource, len(e.Resources)),
	}
	for i, r := range e.Resources {
		shown.Resources[i] = auditResource{r.Type.String(), r.ID}
	}
	for i := range e.Balances {
		b := &e.Balances[i]
		shown.Balances = append(shown.Balances, auditBalance{b.Owner.Type.String(), b.Owner.ID, showBalance(&b.Before), showBalance(&b.After)})
	}
	if o := e.Origin; o != nil {
		shown.RequestID, shown.RemoteAddr, shown.UserAgent = o.RequestID, o.RemoteAddr, o.UserAgent
	}
	return shown
}

func showBalance(b *fsm.Balance) *int64 {
	if !b.Limited {
		return nil
	}
	return &b.Remaining
}
