package api

import "github.com/creditd/creditd/fsm"

type refill struct {
	Interval  string `json:"interval" schema:"required,enum=daily|monthly"`
	Amount    int64  `json:"amount" schema:"required,minimum=1"`
	RefillDay int64  `json:"refillDay" schema:"minimum=1,maximum=31"`
}

const (
	daily   = "daily"
	monthly = "monthly"
)

func (r refill) refill() fsm.Refill {
	interval := fsm.Daily
	if r.Interval == monthly {
		interval = fsm.Monthly
	}
	return fsm.Refill{Interval: interval, Amount: r.Amount, Day: uint8(r.RefillDay)}
}

type refillOut struct {
	Interval  string `json:"interval"`
	Amount    int64  `json:"amount"`
	RefillDay int64  `json:"refillDay,omitempty"` // monthly only
}

func showRefill(r fsm.Refill) *refillOut {
	switch r.Interval {
	case fsm.Daily:
		return &refillOut{Interval: daily, Amount: r.Amount}
	case fsm.Monthly:
		return &refillOut{Interval: monthly, Amount: r.Amount, RefillDay: int64(r.Day)}
	}
	return nil
}
