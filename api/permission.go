package api

import (
	"slices"

	"github.com/creditd/creditd/fsm"
)

// need is a root permission that a caller must have.
type need struct {
	permission fsm.RootPermission
	id         string // the name of the id for which it is enough, "apiId"; empty: the permission must be for all resources
	condition  string // "to create permissions"; empty: always
	silent     bool   // its absence is no 403: the answer is that there is no such resource
}

// resourceIDs are the names of the ids in root permissions, by resource.
var resourceIDs = map[string]string{"api": "apiId", "identity": "id", "ratelimit": "namespaceId"}

// forAll needs the permission for all resources.
func forAll(p fsm.RootPermission) need { return need{permission: p} }

// forOne needs the permission for all resources or for the one that the request is about.
func forOne(p fsm.RootPermission) need { return need{permission: p, id: resourceIDs[p.Resource()]} }

// when makes a need one that only some requests have.
func (n need) when(condition string) need {
	n.condition = condition
	return n
}

// silently makes a need one whose absence is no 403.
func (n need) silently() need {
	n.silent = true
	return n
}

// accepted are the strings that satisfy the need; a root key must have one of them.
func (n need) accepted() []string {
	if n.id == "" {
		return []string{string(n.permission)}
	}
	return []string{string(n.permission), n.permission.For("<" + n.id + ">")}
}

// needsBeforeTheBody are the needs that can be checked before the body is known: those of every request whose absence is a 403.
func (e *endpoint) needsBeforeTheBody() []need {
	return slices.DeleteFunc(slices.Clone(e.needs), func(n need) bool { return n.condition != "" || n.silent })
}

// Sentences of several endpoints.
const (
	checkedFirst = "The permission is checked before the lookup."
	askAgain     = "While it writes the file, the answer is a 429: ask again with its `Creditd-Index` as `Creditd-Min-Index`."
	nextPage     = "The `cursor` of an answer asks for the next page. A page of large items may be short although there are more."
)
