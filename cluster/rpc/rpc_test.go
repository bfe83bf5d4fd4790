package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/peer"
)

type greeting struct {
	Name string `json:"name"`
}

// A later build asks with one more field, and answers with one more.
type laterGreeting struct {
	Name string `json:"name"`
	Mood string `json:"mood"`
}

var (
	greet      = Method[greeting, string]{Number: 1, Name: "greet", Request: JSON[greeting](), Answer: Text}
	greetLater = Method[laterGreeting, string]{Number: 1, Name: "greet", Request: JSON[laterGreeting](), Answer: Text}
	where      = Method[Nothing, uint64]{Number: 2, Name: "where", OfCluster: true, Request: Empty, Answer: Index}
	fail       = Method[string, Nothing]{Number: 3, Name: "fail", Request: Text, Answer: Empty}
	unknown    = Method[Nothing, Nothing]{Number: 4, Name: "levitate", Request: Empty, Answer: Empty}
)

// serve answers with the rows on loopback and returns the address and a client that belongs to a cluster.
func serve(t *testing.T, serverCluster, clientCluster string, rows ...Row) (string, *Client) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	mux, err := peer.NewMux(peer.MuxConfig{Listener: l})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	mux.Serve(NewTable(TableConfig{
		Context: ctx, Build: "1.2.3", ClusterID: func() string { return serverCluster }, Logger: slog.New(slog.DiscardHandler),
	}, rows...).Handle)
	mux.Start()
	pool := peer.NewPool(peer.ClientConfig{})
	t.Cleanup(func() {
		cancel()
		require.NoError(t, pool.Close())
		require.NoError(t, mux.Close())
	})
	return l.Addr().String(), NewClient(pool, func() string { return clientCluster })
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func greetRow() Row {
	return Background(&greet, func(_ context.Context, g greeting) (string, error) { return "hello " + g.Name, nil })
}

func TestMethod_CarriesRequestAndAnswer(t *testing.T) {
	addr, c := serve(t, "cl_1", "cl_1", greetRow(), Inline(&where, func(caller Caller, _ Nothing, reply Reply[uint64]) {
		if caller.Addr == "" || caller.Deadline.IsZero() {
			reply(0, errors.New("the caller is not known"))
			return
		}
		go reply(77, nil)
	}))
	answer, err := greet.Call(testContext(t), c, addr, greeting{"alice"})
	require.NoError(t, err)
	require.Equal(t, "hello alice", answer)
	index, err := where.Call(testContext(t), c, addr, Nothing{})
	require.NoError(t, err)
	require.Equal(t, uint64(77), index)
}

// While a cluster is upgraded its nodes differ: what a newer one adds to a message is ignored.
func TestMethod_IgnoresFieldsOfANewerBuild(t *testing.T) {
	addr, c := serve(t, "", "", greetRow())
	answer, err := greetLater.Call(testContext(t), c, addr, laterGreeting{"bob", "cheerful"})
	require.NoError(t, err)
	require.Equal(t, "hello bob", answer)

	m := decodeFault(append(faultMessage{"full", "9"}.append(nil), "a field of a newer build"...))
	require.Equal(t, faultMessage{"full", "9"}, m)
}

func TestMethod_RefusesAnotherCluster(t *testing.T) {
	row := Inline(&where, func(_ Caller, _ Nothing, reply Reply[uint64]) { reply(1, nil) })
	for _, clusters := range [][2]string{{"cl_1", "cl_2"}, {"cl_1", ""}, {"", "cl_1"}, {"", ""}} {
		addr, c := serve(t, clusters[0], clusters[1], row)
		_, err := where.Call(testContext(t), c, addr, Nothing{})
		require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", clusters)
		require.ErrorContains(t, err, "another cluster")
	}
}

// The caller learns what the handler returned, so that a follower answers as the leader would.
func TestFault_TravelsWithItsDetail(t *testing.T) {
	returned := map[string]error{"": errors.New("a bug")}
	for kind := fault.Internal; kind <= fault.Unsupported; kind++ {
		detail := fmt.Sprintf("why it is %s: grüße", kind)
		returned[detail] = &fault.Error{Kind: kind, Detail: detail, Cause: errors.New("secret")}
	}
	addr, c := serve(t, "", "", Background(&fail, func(_ context.Context, detail string) (Nothing, error) {
		return Nothing{}, fmt.Errorf("wrapped: %w", returned[detail])
	}))
	for detail, want := range returned {
		_, err := fail.Call(testContext(t), c, addr, detail)
		var got *fault.Error
		require.ErrorAs(t, err, &got, detail)
		require.Equal(t, fault.KindOf(want), got.Kind)
		require.Equal(t, detail, got.Detail)
		require.NotContains(t, err.Error(), "secret")
	}
}

// An older build sends a code alone, or with a text that is no fault message. A damaged message must not be worse than none.
func TestFault_ReadsWhatOlderBuildsSend(t *testing.T) {
	for _, payload := range [][]byte{nil, {}, []byte("node-1 node-2"), {0xff, 0xff}, {200}, {3, 'a', 'b'}} {
		f := faultOf("x", &peer.CodeError{Code: codeDiskFull, Payload: payload})
		require.Equal(t, fault.DiskFull, f.Kind)
		require.Empty(t, f.Detail)
	}
	require.Equal(t, faultMessage{detail: "ab"}, decodeFault([]byte{2, 'a', 'b'}))
	require.Equal(t, fault.Internal, faultOf("x", &peer.CodeError{Code: 200}).Kind, "a code of a newer build")
	require.Equal(t, codeInternal, codes[fault.Internal])
	require.Equal(t, byte(11), codeUnsupported, "codes are append only")
}

// A request that this build does not know is answered with the build, and the connection goes on.
func TestTable_NamesItsBuildForAnUnknownMethod(t *testing.T) {
	addr, c := serve(t, "", "", greetRow())
	for range 3 {
		_, err := unknown.Call(testContext(t), c, addr, Nothing{})
		require.Equal(t, fault.Unsupported, fault.KindOf(err))
		var u *Unsupported
		require.ErrorAs(t, err, &u)
		require.Equal(t, Unsupported{Method: "levitate", Build: "1.2.3"}, *u)
	}
	_, err := greet.Call(testContext(t), c, addr, greeting{"alice"})
	require.NoError(t, err)
}

func TestTable_RefusesAMalformedRequest(t *testing.T) {
	raw := Method[string, string]{Number: greet.Number, Request: Text, Answer: Text}
	addr, c := serve(t, "", "", greetRow())
	_, err := raw.Call(testContext(t), c, addr, "{")
	require.Equal(t, fault.Internal, fault.KindOf(err))
	var code *peer.CodeError
	require.ErrorAs(t, err, &code)
	require.Equal(t, codeMalformed, code.Code)
	_, err = greet.Call(testContext(t), c, addr, greeting{"alice"})
	require.NoError(t, err)
}

func TestMethod_AnAnswerThatCannotBeReadIsUnknown(t *testing.T) {
	odd := Method[greeting, uint64]{Number: greet.Number, Request: JSON[greeting](), Answer: Index}
	addr, c := serve(t, "", "", Background(&greet, func(context.Context, greeting) (string, error) { return "", nil }))
	_, err := odd.Call(testContext(t), c, addr, greeting{})
	require.Equal(t, fault.Unknown, fault.KindOf(err))
}

func TestMethod_TellsWhetherItWasSent(t *testing.T) {
	addr, c := serve(t, "", "", Background(&greet, func(ctx context.Context, _ greeting) (string, error) {
		<-ctx.Done()
		return "", nil
	}))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := greet.Call(ctx, c, addr, greeting{})
	var failed *peer.CallError
	require.ErrorAs(t, err, &failed)
	require.True(t, failed.Sent, err)
	_, err = greet.Call(ctx, c, addr, greeting{})
	require.True(t, peer.NotSent(err), err)
}

func TestTable_PanicsWhenANumberIsUsedTwice(t *testing.T) {
	require.Panics(t, func() { NewTable(TableConfig{}, greetRow(), Row{number: greet.Number, name: "other"}) })
}

// Requests and answers are encoded in buffers that earlier ones had.
func TestMethod_CallsDoNotShareBuffers(t *testing.T) {
	addr, c := serve(t, "cl_1", "cl_1", greetRow())
	ctx := testContext(t)
	var callers sync.WaitGroup
	for caller := range 16 {
		callers.Go(func() {
			for i := range 100 {
				name := strings.Repeat(fmt.Sprintf("%d.%d ", caller, i), 1+i%50)
				answer, err := greet.Call(ctx, c, addr, greeting{name})
				if err != nil || answer != "hello "+name {
					t.Errorf("%q, %v for %q", answer, err, name)
					return
				}
			}
		})
	}
	callers.Wait()
}
