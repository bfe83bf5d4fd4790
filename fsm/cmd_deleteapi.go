package fsm

import "github.com/creditd/creditd/fsm/fields"

// DeleteAPI hides an API and all of its keys. See contract 2.2.
type DeleteAPI struct{ APIID string }

var deleteAPIType = commandType{kind: 20, since: 1, event: APIDeleted, create: create[DeleteAPI]}

func (*DeleteAPI) is() *commandType { return &deleteAPIType }

func (c *DeleteAPI) fields(v *fields.Visitor) {
	v.String(&c.APIID)
}

// plan hides an API and, because keys are found through their API, all of its keys. The graveyard removes them later. See
// contract 2.2.
func (c *DeleteAPI) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(DeleteAPIPermission, c.APIID) {
		return nil, DeleteAPIPermission.missing(c.APIID)
	}
	a := s.findAPI(root, c.APIID)
	if a == nil {
		return nil, refuse(APINotFound)
	}
	if a.protected {
		return nil, refuse(APIProtected)
	}
	return func() Result {
		s.endAPI(a)
		return done
	}, nil
}
