package api

import (
	"strings"

	"github.com/creditd/creditd/fsm"
)

// maxUserAgent bounds what is kept of the header, in bytes.
const maxUserAgent = 256

// origin says where a command came from, for its audit entry; nil: it leaves none. The address is that of the connection, because anybody
// can make up a header that names another one.
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
