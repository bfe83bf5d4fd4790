package fsm

import "fmt"

// weightUnit is how many bytes of an answer count as one outcome. Most answers have fewer.
const weightUnit = 256

// What an element of a list takes beside its texts, in memory and in an answer, in bytes.
const (
	listedText  = 16
	listedThing = 160
)

// weightOf is how much of the limit the outcome of a call takes: one for each started weightUnit of its answer, and at least one for
// each item that it answers, so that the limit bounds bytes. It follows from the answer alone, so it is the same when it was loaded. An
// answer shares its texts with the ledger at first, and has copies of its own when it was loaded: they always count.
func weightOf(r Result) uint64 {
	v, many := r.(*Verdicts)
	if !many {
		return uint64(max(1, (extent(r)+weightUnit-1)/weightUnit))
	}
	n := uint64(0)
	for _, item := range v.Results {
		n += weightOf(item)
	}
	return max(1, n)
}

// extent is about how many bytes the texts and the lists of a command's answer take.
func extent(r Result) int {
	switch r := r.(type) {
	case *Verdict:
		return r.extent()
	case *Done, *Credits:
		return 0
	case *Created:
		return len(r.ID)
	case *Rerolled:
		return len(r.ID) + len(r.Start)
	case *Migrated:
		return textsExtent(r.IDs)
	case *Refusal: // of an item
		return len(r.Detail) + textsExtent(r.Accepted)
	case *Identity:
		return len(r.ID) + len(r.ExternalID) + len(r.Meta) + ratelimitsExtent(r.Ratelimits)
	case *Limited:
		n := 0
		for i := range r.Requests {
			n += listedThing + len(r.Requests[i].OverrideID)
		}
		return n
	case *PermissionList:
		return len(r.Next) + permissionsExtent(r.Permissions)
	case *RoleList:
		n := len(r.Next)
		for i := range r.Roles {
			role := &r.Roles[i]
			n += listedThing + len(role.ID) + len(role.Name) + len(role.Description) + permissionsExtent(role.Permissions)
		}
		return n
	default:
		panic(fmt.Sprintf("fsm: no command is answered with %T", r))
	}
}

func (v *Verdict) extent() int {
	n := len(v.KeyID) + len(v.Name) + len(v.Meta)
	if i := v.Identity; i != nil {
		n += len(i.ID) + len(i.ExternalID) + len(i.Meta) + ratelimitsExtent(i.Ratelimits)
	}
	if a := v.Access; a != nil {
		n += textsExtent(a.Permissions) + textsExtent(a.Roles)
	}
	for at := range v.Ratelimits {
		n += v.Ratelimits[at].extent()
	}
	return n
}

func (r *Ratelimit) extent() int { return listedThing + len(r.ID) + len(r.Name) }

func ratelimitsExtent(list []Ratelimit) int {
	n := 0
	for i := range list {
		n += list[i].extent()
	}
	return n
}

func permissionsExtent(list []Permission) int {
	n := 0
	for i := range list {
		p := &list[i]
		n += listedThing + len(p.ID) + len(p.Name) + len(p.Slug) + len(p.Description)
	}
	return n
}

func textsExtent(list []string) int {
	n := listedText * len(list)
	for _, text := range list {
		n += len(text)
	}
	return n
}

// keepable reports whether a result is one that a command can be answered with and that is kept for its name.
func keepable(r Result) bool {
	switch r := r.(type) {
	case *Verdict, *Done, *Credits, *Created, *Identity, *Rerolled, *Migrated, *Limited, *PermissionList, *RoleList:
		return true
	case *Verdicts:
		for _, item := range r.Results {
			switch item.(type) {
			case *Verdict, *Refusal:
			default:
				return false
			}
		}
		return true
	default:
		return false
	}
}
