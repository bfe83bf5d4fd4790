package fsm

// reserved is the part of a shared store, 1/reserved, that is set aside for workspaces that use little of it.
const reserved = 8

// shares decides whether a workspace may add to a store that all workspaces share. own is what the workspace has in it, total what all have.
// An eighth of the capacity is divided equally: below that part nobody is refused, whatever the others do. Above it a workspace may take at
// most half of what is free. A workspace that is alone has it all. capacity 0: no limit.
//
// Invariant: total exceeds the capacity only by the last answer, or while the capacity was just lowered or workspaces were just created.
func shares(own, total, capacity uint64, workspaces int) bool {
	switch {
	case capacity == 0:
		return true
	case workspaces < 2:
		return total < capacity
	}
	aside := capacity / reserved
	return own < max(1, aside/uint64(workspaces)) || own+total < capacity-aside
}
