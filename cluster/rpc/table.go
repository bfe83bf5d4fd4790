package rpc

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/creditd/creditd/cluster/peer"
)

// Row binds a method to its handler.
type Row struct {
	number    byte
	name      string
	ofCluster bool
	ofMembers bool
	serve     func(t *Table, r peer.Request, reply peer.Reply) error // an error: the request is malformed
}

// String names the method with its number.
func (r Row) String() string { return fmt.Sprintf("%d %s", r.number, r.name) }

// Caller is where a request comes from.
type Caller struct {
	Addr     string    // of the connection, for logs
	Node     string    // as it announced itself, "" if it is of a build that does not
	Deadline time.Time // when the caller stops waiting; zero: never
}

// Reply answers a request. It may be called from any goroutine, and only the first call counts.
type Reply[A any] func(answer A, err error)

// Inline serves a method on the goroutine that reads the connection. The handler must not block.
func Inline[Q, A any](m *Method[Q, A], handle func(c Caller, request Q, reply Reply[A])) Row {
	return Row{m.Number, m.Name, m.OfCluster, m.OfMembers, func(_ *Table, r peer.Request, reply peer.Reply) error {
		request, err := m.Request.Decode(r.Payload)
		if err != nil {
			return err
		}
		handle(Caller{Addr: r.From, Node: r.Node, Deadline: r.Deadline}, request, m.replyTo(reply))
		return nil
	}}
}

// InlineUpTo is Inline for requests of up to most bytes that handle takes. The others have a goroutine of their own and another handler, which may
// wait: nobody on the connection waits for what they cost. ctx ends with the deadline, or when the node stops.
func InlineUpTo[Q, A any](m *Method[Q, A], most int, handle func(c Caller, request Q, reply Reply[A]) (taken bool),
	handleCostly func(ctx context.Context, c Caller, request Q, reply Reply[A]),
) Row {
	serve := func(t *Table, r peer.Request, reply peer.Reply, request Q) {
		ctx, cancel := t.conf.Context, context.CancelFunc(func() {})
		if !r.Deadline.IsZero() {
			ctx, cancel = context.WithDeadline(ctx, r.Deadline)
		}
		defer cancel()
		handleCostly(ctx, Caller{Addr: r.From, Node: r.Node, Deadline: r.Deadline}, request, m.replyTo(reply))
	}
	return Row{m.Number, m.Name, m.OfCluster, m.OfMembers, func(t *Table, r peer.Request, reply peer.Reply) error {
		if len(r.Payload) > most {
			go func() {
				request, err := m.Request.Decode(r.Payload)
				if err != nil {
					t.refuseMalformed(m.Name, r, reply, err)
					return
				}
				serve(t, r, reply, request)
			}()
			return nil
		}
		request, err := m.Request.Decode(r.Payload)
		if err != nil {
			return err
		}
		if !handle(Caller{Addr: r.From, Node: r.Node, Deadline: r.Deadline}, request, m.replyTo(reply)) {
			go serve(t, r, reply, request)
		}
		return nil
	}}
}

// Background serves a method on a goroutine of its own. ctx ends when the node stops.
func Background[Q, A any](m *Method[Q, A], handle func(ctx context.Context, request Q) (A, error)) Row {
	return Row{m.Number, m.Name, m.OfCluster, m.OfMembers, func(t *Table, r peer.Request, reply peer.Reply) error {
		request, err := m.Request.Decode(r.Payload)
		if err != nil {
			return err
		}
		go func() { m.replyTo(reply)(handle(t.conf.Context, request)) }()
		return nil
	}}
}

func (m *Method[Q, A]) replyTo(reply peer.Reply) Reply[A] {
	return func(answer A, err error) {
		if err != nil {
			reply(encodeFault(err))
			return
		}
		reply(peer.CodeOK, m.encode(answer))
	}
}

// encode encodes an answer into exactly as many bytes as it needs. They leave some time after the reply.
func (m *Method[Q, A]) encode(answer A) []byte {
	b := buffers.Get().(*buffer)
	defer b.release()
	b.bytes = m.Answer.Append(b.bytes, answer)
	return bytes.Clone(b.bytes)
}

// TableConfig is what a table needs to know of its node.
type TableConfig struct {
	Context   context.Context // ends when the node stops
	Build     string          // told to nodes that ask for an unknown method
	ClusterID func() string   // "" while there is none
	// Admit returns why a node may not act for callers, nil if it may. nodeID is as it announced itself, or "".
	Admit  func(nodeID string) error
	Logger *slog.Logger
}

// Table is all methods that a node knows.
type Table struct {
	conf TableConfig
	rows [peer.MaxMethod + 1]*Row
}

// NewTable panics when two rows have one number.
func NewTable(conf TableConfig, rows ...Row) *Table {
	t := &Table{conf: conf}
	for _, row := range rows {
		if taken := t.rows[row.number]; taken != nil {
			panic(fmt.Sprintf("rpc: two methods have one number: %v, %v", *taken, row))
		}
		t.rows[row.number] = &row
	}
	return t
}

// Handle is the peer.Handler of the node.
func (t *Table) Handle(r peer.Request, reply peer.Reply) {
	row := t.rows[r.Method]
	if row == nil {
		reply(codeUnsupported, faultMessage{
			detail: fmt.Sprintf("creditd %s does not know request %d", t.conf.Build, r.Method), build: t.conf.Build,
		}.append(nil))
		return
	}
	if row.ofCluster {
		body, ok := cutTag(r.Payload, t.conf.ClusterID())
		if !ok {
			reply(codeForeign, faultMessage{detail: "The node at this address belongs to another cluster"}.append(nil))
			return
		}
		r.Payload = body
	}
	if row.ofMembers {
		if err := t.conf.Admit(r.Node); err != nil {
			reply(encodeFault(err))
			return
		}
	}
	if err := row.serve(t, r, reply); err != nil {
		t.refuseMalformed(row.name, r, reply, err)
	}
}

func (t *Table) refuseMalformed(method string, r peer.Request, reply peer.Reply, err error) {
	t.conf.Logger.Error("refused a malformed request of another node", "request", method, "from", r.From, "err", err)
	reply(codeMalformed, faultMessage{detail: "The request could not be read"}.append(nil))
}
