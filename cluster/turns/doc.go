// Package turns keeps costly requests from using all of the CPU. A request that costs more than a small fixed amount takes a turn before it
// computes, and ends the turn before it waits for the network or the log. Few turns are held at once, so that cheap requests, which take
// none, find a free core. Workspaces take turns fairly, by the time that they have used.
//
// Between two turns is a pause. It is short while the machine has CPU to spare and grows while it has none: see Turns. A workspace that uses the
// node alone needs no pause: see Neighbours.
//
// Invariants:
//   - A turn that was granted is ended exactly once, by its holder or because its waiter had gone.
//   - Who waits is granted a turn, or refused within Config.MaxWait. At most Config.MaxWaiting wait; a workspace has half of what the others leave.
package turns
