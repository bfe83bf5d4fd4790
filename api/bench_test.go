package api_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/fsm"
	"github.com/gin-gonic/gin"
)

// constant is a node that answers every verification at once, so that the benchmarks measure this package alone.
type constant struct{ api.Node }

var someVerdict = &fsm.Verdict{
	Code: fsm.Valid, Enabled: true, Limited: true, Credits: 41, Expires: fsm.Never, KeyID: "key_2cGKbMxRyIzhCxo1",
}

func (constant) Execute(context.Context, fsm.Call) (fsm.Result, uint64, error) {
	return someVerdict, 12345, nil
}

func (constant) RequestQuota(fsm.Hash) (string, int64) { return "", 0 }

func (constant) VerdictBytes([]fsm.Hash) int64 { return 0 }

// TakeTurn: nobody waits.
func (constant) TakeTurn(context.Context, fsm.Hash) (func(), error) { return func() {}, nil }

// sink is a ResponseWriter that keeps nothing.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(int)             {}

const verifyBody = `{"key":"prod_2cGKbMxRyIzhCxo1IdjH3arE","credits":{"cost":1}}`

// replay serves one and the same request over and over.
func replay(b *testing.B, handler http.Handler) {
	ctx, cancel := context.WithCancel(context.Background()) // as net/http's: one that can end
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/v2/keys.verifyKey", nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Authorization", "Bearer root_2cGKbMxRyIzhCxo1IdjH3arE2cGKbMxR")
	body := strings.NewReader(verifyBody)
	r.Body, r.ContentLength = io.NopCloser(body), int64(len(verifyBody))
	w := &sink{header: make(http.Header)}
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(verifyBody)
		clear(w.header)
		handler.ServeHTTP(w, r)
	}
}

func BenchmarkVerifyKey(b *testing.B) {
	a, err := api.New(api.Config{Node: constant{}})
	if err != nil {
		b.Fatal(err)
	}
	replay(b, a.Handler())
}

// BenchmarkGinConstant is what HTTP costs without any of our work.
func BenchmarkGinConstant(b *testing.B) { replay(b, ginConstant()) }

// ginConstant reads nothing and answers a constant.
func ginConstant() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	answer := []byte(`{"meta":{"requestId":"req_0123456789abcdef"},"data":{"valid":true,"code":"VALID","keyId":"key_2cGKbMxRyIzhCxo1","enabled":true,"credits":41}}`)
	engine.POST("/v2/keys.verifyKey", func(c *gin.Context) { c.Data(http.StatusOK, "application/json", answer) })
	return engine
}

// overLoopback keeps 32 connections of a real server busy. Client and server share the machine, as in the throughput goal.
func overLoopback(b *testing.B, handler http.Handler) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: handler, ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
		ctx, _ = api.ConnContext(ctx)
		return ctx
	}}
	go server.Serve(listener)
	defer server.Close()
	request := []byte("POST /v2/keys.verifyKey HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json\r\n" +
		"Authorization: Bearer root_2cGKbMxRyIzhCxo1IdjH3arE2cGKbMxR\r\nContent-Length: " + strconv.Itoa(len(verifyBody)) + "\r\n\r\n" + verifyBody)
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		answer := make([]byte, 4096)
		for pb.Next() {
			if _, err := conn.Write(request); err != nil {
				b.Error(err)
				return
			}
			if n, err := conn.Read(answer); err != nil || !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 200")) {
				b.Errorf("%v: %s", err, answer[:n])
				return
			}
		}
	})
}

func BenchmarkVerifyKey_Loopback(b *testing.B) {
	a, err := api.New(api.Config{Node: constant{}})
	if err != nil {
		b.Fatal(err)
	}
	overLoopback(b, a.Handler())
}

func BenchmarkGinConstant_Loopback(b *testing.B) { overLoopback(b, ginConstant()) }
