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
	ActorID    string                  `json:"actorId" schema:"minLength=1,maxLength=255" doc:"Only those of this root key."`
	Event      eventName               `json:"event"`
	From       expiry                  `json:"from"`
	To         schema.Optional[expiry] `json:"to"`
}

type eventName string

func (eventName) SchemaTag() string {
	return `schema:"enum=` + strings.Join(fsm.EventNames(), "|") + `"`
}

type auditEntryOut struct {
	Index      uint64          `json:"index" doc:"Of the log entry, which Creditd-Index named."`
	Time       int64           `json:"time"`
	Event      string          `json:"event"`
	Actor      auditActor      `json:"actor"`
	Resources  []auditResource `json:"resources"`
	Omitted    int64           `json:"omitted,omitempty" doc:"How many more resources there were."`
	Balances   []auditBalance  `json:"balances,omitempty"`
	RequestID  string          `json:"requestId,omitempty"`
	RemoteAddr string          `json:"remoteAddr,omitempty"`
	UserAgent  string          `json:"userAgent,omitempty"`
}

type auditActor struct {
	KeyID string `json:"keyId" doc:"Of the root key."`
	Name  string `json:"name,omitempty"`
}

type auditResource struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

type auditBalance struct {
	Type   string `json:"type" doc:"key or identity."`
	ID     string `json:"id"`
	Before *int64 `json:"before" doc:"null: unlimited, or not there yet."`
	After  *int64 `json:"after" doc:"null: unlimited, or gone for good."`
}

// listAudit serves audit.listEntries, docs/contract.md 7.4.
func listAudit(c *call, req listAuditRequest) (any, error) {
	found, err := answer[*fsm.AuditEntries](c, &fsm.ListAudit{
		ResourceID: req.ResourceID, ActorID: req.ActorID, Event: string(req.Event), From: int64(req.From), To: expiresAt(req.To),
		Page: pageOf(req.Limit, req.Cursor),
	})
	if err != nil {
		return nil, err
	}
	return showPage(found.List, found.Next, showAuditEntry), nil
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

// maxUserAgent bounds what is kept of the header, in bytes.
const maxUserAgent = 256

// origin says where a command that leaves an audit entry came from; nil: it leaves none. The address is that of the connection:
// headers that name another one can be made up by anybody.
func (c *call) origin(command fsm.Command) *fsm.Origin {
	if fsm.EventOf(command) == fsm.Unaudited {
		return nil
	}
	request := c.gin.Request
	agent := request.Header.Get("User-Agent")
	return &fsm.Origin{
		RequestID: string(c.id[:]), RemoteAddr: request.RemoteAddr,
		UserAgent: strings.ToValidUTF8(agent[:min(len(agent), maxUserAgent)], ""),
	}
}
