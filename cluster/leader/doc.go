// Package leader finds the node that leads, calls it, and repeats what failed because nobody led.
//
// It knows raft's opinion only, and not whether the leader serves: a node that is elected and not ready refuses by itself.
package leader
