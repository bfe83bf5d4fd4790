package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/gin-gonic/gin"
)

// charge returns the balance after the charge, or -1 - balance when it does not suffice.
const charge = `local left = tonumber(redis.call('GET', KEYS[1])) or 0
local cost = tonumber(ARGV[1])
if left < cost then return -1 - left end
return redis.call('DECRBY', KEYS[1], cost)`

// redisPool hands each request a connection of its own, as Redis clients do.
type redisPool chan *redisLink

type redisLink struct {
	socket net.Conn
	reader *bufio.Reader
}

func newRedisPool(addr string, connections int) (redisPool, error) {
	pool := make(redisPool, connections)
	for range connections {
		socket, err := net.Dial("tcp", addr)
		if err != nil {
			return nil, err
		}
		pool <- &redisLink{socket: socket, reader: bufio.NewReader(socket)}
	}
	return pool, nil
}

// do runs one command; the answer is an integer, or the text of another kind of reply.
func (p redisPool) do(args ...string) (int64, string, error) {
	link := <-p
	defer func() { p <- link }()
	command := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, arg := range args {
		command = fmt.Appendf(command, "$%d\r\n%s\r\n", len(arg), arg)
	}
	if _, err := link.socket.Write(command); err != nil {
		return 0, "", err
	}
	line, err := link.reader.ReadString('\n')
	if err != nil {
		return 0, "", err
	}
	kind, text := line[0], strings.TrimSpace(line[1:])
	switch kind {
	case ':':
		value, err := strconv.ParseInt(text, 10, 64)
		return value, "", err
	case '$':
		length, err := strconv.Atoi(text)
		if err != nil || length < 0 {
			return 0, "", errors.New("redis: no value")
		}
		data := make([]byte, length+2)
		if _, err := io.ReadFull(link.reader, data); err != nil {
			return 0, "", err
		}
		return 0, string(data[:length]), nil
	case '+':
		return 0, text, nil
	}
	return 0, "", errors.New("redis: " + text)
}

type createRequest struct {
	Credits struct {
		Remaining int64 `json:"remaining"`
	} `json:"credits"`
}

type verifyRequest struct {
	Key     string `json:"key" binding:"required"`
	Credits struct {
		Cost int64 `json:"cost"`
	} `json:"credits"`
}

type verifyData struct {
	Valid   bool   `json:"valid"`
	Code    string `json:"code"`
	KeyID   string `json:"keyId"`
	Enabled bool   `json:"enabled"`
	Credits int64  `json:"credits"`
}

type verifyResponse struct {
	Meta struct {
		RequestID string `json:"requestId"`
	} `json:"meta"`
	Data verifyData `json:"data"`
}

func addRedis(router *gin.Engine, addr string, connections int) error {
	pool, err := newRedisPool(addr, connections)
	if err != nil {
		return err
	}
	_, script, err := pool.do("SCRIPT", "LOAD", charge)
	if err != nil {
		return err
	}
	var made atomic.Int64
	router.POST("/v2/keys.createKey", func(c *gin.Context) {
		var body createRequest
		if err := c.ShouldBindJSON(&body); err != nil {
			c.AbortWithStatus(http.StatusBadRequest)
			return
		}
		key := fmt.Sprintf("key%019d", made.Add(1))
		if _, _, err := pool.do("SET", key, strconv.FormatInt(body.Credits.Remaining, 10)); err != nil {
			c.AbortWithStatus(http.StatusInternalServerError)
			return
		}
		c.JSON(http.StatusOK, wrap(gin.H{"keyId": "key_0123456789abcdef", "key": key}))
	})
	router.POST("/v2/keys.verifyKey", func(c *gin.Context) {
		var body verifyRequest
		if err := c.ShouldBindJSON(&body); err != nil {
			c.AbortWithStatus(http.StatusBadRequest)
			return
		}
		left, _, err := pool.do("EVALSHA", script, "1", body.Key, strconv.FormatInt(body.Credits.Cost, 10))
		if err != nil {
			c.AbortWithStatus(http.StatusInternalServerError)
			return
		}
		answer := verifyResponse{Data: verifyData{Valid: true, Code: "VALID", KeyID: "key_0123456789abcdef", Enabled: true, Credits: left}}
		answer.Meta.RequestID = "req_0123456789abcdef"
		if left < 0 {
			answer.Data.Valid, answer.Data.Code, answer.Data.Credits = false, "USAGE_EXCEEDED", -1-left
		}
		c.JSON(http.StatusOK, answer)
	})
	return nil
}
