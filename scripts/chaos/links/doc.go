// Package links is the network between the peer ports of nodes on one machine: a TCP proxy in front of each port, whose address
// the node advertises instead of its own. Each direction between two nodes can be blocked or delayed by itself.
//
// A blocked direction loses nothing and closes nothing: as with packets that a network drops, what was sent stays on its way, new
// connections hang, and what still waits when the block is lifted arrives then. Delayed bytes keep their order.
package links
