package fsm

import "github.com/creditd/creditd/fsm/fields"

// CreateMigration registers a migration for the caller's workspace. See contract 7.2.
type CreateMigration struct {
	ID        string
	Algorithm Algorithm
}

var createMigrationType = commandType{kind: 24, since: 1, event: MigrationCreated, create: create[CreateMigration]}

func (*CreateMigration) is() *commandType { return &createMigrationType }

func (c *CreateMigration) fields(v *fields.Visitor) {
	v.String(&c.ID)
	c.Algorithm.fields(v)
}

func (c *CreateMigration) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(OperateClusterPermission, "") {
		return nil, OperateClusterPermission.missing("")
	}
	if s.migrations[migrationRef{root.workspace.id, c.ID}] != nil {
		return nil, refuse(MigrationExists)
	}
	return func() Result {
		s.addMigration(&migration{id: c.ID, workspace: root.workspace, algorithm: c.Algorithm, createdAt: s.clock})
		return done
	}, nil
}
