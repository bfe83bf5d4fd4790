//go:build !nextversion

package fsm

type nextState struct{}

var (
	nextCommands []*commandType
	nextRecords  []recordRow
)
