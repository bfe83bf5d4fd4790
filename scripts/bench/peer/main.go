// Command peer is what creditd is measured against: small gin servers that answer the few endpoints `creditd bench`
// calls.
//
//	peer constant ADDR                     a fixed answer: what HTTP alone can do
//	peer redis ADDR REDIS_ADDR CONNECTIONS a check and decrement by a Lua script in Redis, as gateways often do it
//
// They validate nothing and are no servers for anybody.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.GET("/readyz", func(c *gin.Context) { c.Status(http.StatusOK) })
	router.POST("/v2/apis.createApi", func(c *gin.Context) { c.JSON(http.StatusOK, wrap(gin.H{"apiId": "api_0123456789abcdef"})) })
	switch {
	case len(args) == 2 && args[0] == "constant":
		addConstant(router)
	case len(args) == 4 && args[0] == "redis":
		connections, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		if err := addRedis(router, args[2], connections); err != nil {
			return err
		}
	default:
		return fmt.Errorf("usage: peer constant ADDR | peer redis ADDR REDIS_ADDR CONNECTIONS")
	}
	server := &http.Server{Addr: args[1], Handler: router, ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}

func wrap(data any) gin.H {
	return gin.H{"meta": gin.H{"requestId": "req_0123456789abcdef"}, "data": data}
}

// addConstant answers a verification with as many bytes as creditd does, Creditd-Index included.
func addConstant(router *gin.Engine) {
	body := []byte(`{"meta":{"requestId":"req_0123456789abcdef"},"data":{"valid":true,"code":"VALID",` +
		`"keyId":"key_0123456789abcdef","enabled":true,"credits":999999999999999}}`)
	router.POST("/v2/keys.createKey", func(c *gin.Context) {
		c.JSON(http.StatusOK, wrap(gin.H{"keyId": "key_0123456789abcdef", "key": "0123456789abcdefghijkl"}))
	})
	router.POST("/v2/keys.verifyKey", func(c *gin.Context) {
		c.Header("Creditd-Index", "1234567")
		c.Data(http.StatusOK, "application/json", body)
	})
}
