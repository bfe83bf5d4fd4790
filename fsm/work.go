package fsm

// Work is an estimate of the time that a command takes in Apply, in tenths of a microsecond on a common machine. It is no part of the ledger:
// leaders bound entries by it, and two builds may estimate differently.
type Work int

// MaxEntryWork is the work that the commands of one entry have together, unless a single one has more: about 3 ms.
const MaxEntryWork Work = 30_000

// What things take, measured with the commands themselves.
const (
	verifyWork    Work = 6   // a plain verification
	partWork      Work = 8   // a rate limit, a permission or a role that is resolved
	windowWork    Work = 40  // a request of ratelimit.limit: mostly it opens a window, which is a record that also expires and is stored
	linkWork      Work = 4   // a permission that a verified key has, by itself or through a role
	changeWork    Work = 50  // a change of one small record, with its audit entry
	migrateWork   Work = 40  // one key of a migration
	identityWork  Work = 20  // one more record beside it
	hashWork      Work = 10  // a KiB that is hashed once
	timesHashed   Work = 5   // how often a change hashes a record that exists: digests and the audit entry before and after
	textPerOption      = 128 // bytes of a permission query that take as long as one item
)

func hashed(bytes int) Work { return hashWork * Work(bytes) / 1024 }

// weighed is a command whose work is not that of one small change.
type weighed interface {
	// work estimates from the command's fields and, if it changes a record that exists, from the size of that record. root may be nil.
	work(s *State, root *rootKey) Work
}

// Work estimates the work of a call.
func (s *State) Work(call *Call) Work {
	if c, ok := call.Command.(*VerifyKey); ok { // every debit passes here
		return c.work(s, nil)
	}
	if c, ok := call.Command.(weighed); ok {
		return c.work(s, s.rootByHash[call.Actor])
	}
	return changeWork
}

// work counts what the key has: a verdict shows it, and a query looks at it.
func (c *VerifyKey) work(s *State, _ *rootKey) Work {
	w := verifyWork + partWork*Work(len(c.Ratelimits)+len(c.Query)/textPerOption)
	if len(s.permissions)+len(s.roles) == 0 {
		return w
	}
	if k := s.keyByHash.find(c.Hash); k != nil {
		w += linkWork * Work(k.access().held())
	}
	return w
}

func (c *VerifyMigrated) work(s *State, root *rootKey) Work {
	return identityWork + c.Verify.work(s, root)
}

func (c *VerifyKeys) work(s *State, root *rootKey) (w Work) {
	w = verifyWork
	for i := range c.Items {
		w += c.Items[i].Command.(weighed).work(s, root)
		if c.Items[i].Idempotency != nil {
			w += identityWork
		}
	}
	if c.Atomic { // it is planned and then executed
		w *= 2
	}
	return w
}

func (c *ConsumeRatelimits) work(*State, *rootKey) Work {
	return verifyWork + windowWork*Work(len(c.Requests))
}

func (c *CreateKey) work(*State, *rootKey) Work {
	return changeWork + hashed(len(c.Meta)) + partWork*Work(2*len(c.Permissions)+len(c.Roles)+len(c.Ratelimits))
}

func (c *UpdateKey) work(s *State, _ *rootKey) Work {
	return changeWork + s.recordWork(s.keys.find(c.KeyID)) + timesHashed*hashed(len(c.Meta.Value)) +
		partWork*Work(2*len(c.Permissions.Value)+len(c.Roles.Value)+len(c.Ratelimits.Value))
}

func (c *RerollKey) work(s *State, _ *rootKey) Work {
	return changeWork + s.recordWork(s.keys.find(c.KeyID))
}

func (c *DeleteKey) work(s *State, _ *rootKey) Work {
	return changeWork + s.recordWork(s.keys.find(c.KeyID))
}

func (c *UpdateKeyCredits) work(s *State, _ *rootKey) Work {
	return changeWork + s.recordWork(s.keys.find(c.KeyID))
}

func (c *LinkKeyPermissions) work(s *State, _ *rootKey) Work {
	return changeWork + s.recordWork(s.keys.find(c.KeyID)) + 2*partWork*Work(len(c.Permissions))
}

func (c *LinkKeyRoles) work(s *State, _ *rootKey) Work {
	return changeWork + s.recordWork(s.keys.find(c.KeyID)) + partWork*Work(len(c.Roles))
}

// recordWork is the work of changing a key that exists; nil: it does not.
func (s *State) recordWork(k *key) Work {
	if k == nil {
		return 0
	}
	a := k.access()
	return timesHashed * (hashed(len(k.meta())) + Work(len(a.permissions)+len(a.roles)+len(k.ratelimits())))
}

func (c *CreateIdentity) work(*State, *rootKey) Work {
	return changeWork + hashed(len(c.Meta)) + partWork*Work(len(c.Ratelimits))
}

func (c *UpdateIdentity) work(s *State, root *rootKey) Work {
	return changeWork + s.ownerWork(root, c.Identity) + timesHashed*hashed(len(c.Meta.Value)) + partWork*Work(len(c.Ratelimits.Value))
}

func (c *DeleteIdentity) work(s *State, root *rootKey) Work {
	return changeWork + s.ownerWork(root, c.Identity)
}

// ownerWork is the work of changing an identity that exists.
func (s *State) ownerWork(root *rootKey, ref string) Work {
	if root == nil {
		return 0
	}
	i := s.findIdentity(root, ref)
	if i == nil {
		return 0
	}
	return timesHashed * (hashed(len(i.meta)) + Work(len(i.ratelimits)))
}

func (c *CreateRole) work(*State, *rootKey) Work {
	return changeWork + 2*partWork*Work(len(c.Permissions))
}

func (c *SetRolePermissions) work(s *State, _ *rootKey) Work {
	w := changeWork + 2*partWork*Work(len(c.Permissions))
	if r := s.roles[c.RoleID]; r != nil {
		w += timesHashed * Work(len(r.permissions))
	}
	return w
}

func (c *MigrateKeys) work(*State, *rootKey) (w Work) {
	w = changeWork
	for i := range c.Keys {
		w += c.Keys[i].Work()
	}
	return w
}

// Work estimates the work of one key of a MigrateKeys.
func (k *MigratedKey) Work() Work {
	w := migrateWork + hashed(len(k.Meta)) + partWork*Work(2*len(k.Permissions)+len(k.Roles)+len(k.Ratelimits))
	if k.ExternalID != "" {
		w += identityWork
	}
	return w
}
