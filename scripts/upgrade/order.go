package main

import (
	"fmt"
	"slices"
	"strconv"
)

const nodes = 3

// order says in which order the nodes are upgraded. Node 0 leads until it is upgraded itself.
type order []int

func (o order) String() (text string) {
	for _, node := range o {
		text += strconv.Itoa(node)
	}
	return text
}

func allOrders() []order {
	return []order{{0, 1, 2}, {1, 0, 2}, {1, 2, 0}, {0, 2, 1}, {2, 0, 1}, {2, 1, 0}}
}

func parseOrder(text string) (order, error) {
	at := slices.IndexFunc(allOrders(), func(o order) bool { return o.String() == text })
	if at < 0 {
		return nil, fmt.Errorf("%q is no order of the nodes 0, 1 and 2", text)
	}
	return allOrders()[at], nil
}
