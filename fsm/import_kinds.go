package fsm

// importKind is what an import asks of a kind of record.
type importKind struct {
	take   func(*importer, *workspace, Record, ImportedCredits) ImportOutcome
	parts  func(Record) importParts
	before func(*State, Record) importParts // what the record replaces, as it is now
}

// importParts are what makes a record long: bytes of meta, and how often permissions, roles and rate limits are looked up.
type importParts struct{ meta, lookups, links int }

// importKindOf returns the row of a record's kind.
func importKindOf(r Record) importKind {
	if row, known := importKinds[r.is().kind]; known {
		return row
	}
	return importing(func(*importer, *workspace, Record, ImportedCredits) ImportOutcome {
		return ImportOutcome{Status: ImportInvalid}
	}, nil, nil)
}

// importKinds has a row for each kind that can be imported.
var importKinds = map[Kind]importKind{
	WorkspaceKind: importing(withoutCredits((*importer).takeWorkspace), nil, nil),
	RootKeyKind: importing(withoutCredits((*importer).takeRootKey),
		func(r *RootKeyRecord) importParts { return permissionParts(len(r.Permissions)) },
		func(s *State, r *RootKeyRecord) importParts {
			if k := s.rootKeys[r.ID]; k != nil {
				return permissionParts(len(k.permissions))
			}
			return importParts{}
		}),
	APIKind:        importing(withoutCredits((*importer).takeAPI), nil, nil),
	MigrationKind:  importing(withoutCredits((*importer).takeMigration), nil, nil),
	PermissionKind: importing(withoutCredits((*importer).takePermission), nil, nil),
	RoleKind: importing(withoutCredits((*importer).takeRole),
		func(r *RoleRecord) importParts { return permissionParts(len(r.Permissions)) },
		func(s *State, r *RoleRecord) importParts {
			if have := s.roles[r.ID]; have != nil {
				return permissionParts(len(have.permissions))
			}
			return importParts{}
		}),
	IdentityKind: importing((*importer).takeIdentity,
		func(r *IdentityRecord) importParts {
			return importParts{len(r.Meta), len(r.Ratelimits), len(r.Ratelimits)}
		},
		func(s *State, r *IdentityRecord) importParts {
			if i := s.identities.find(r.ID); i != nil {
				return importParts{len(i.meta), len(i.ratelimits), len(i.ratelimits)}
			}
			return importParts{}
		}),
	KeyKind: importing((*importer).takeKey,
		func(r *KeyRecord) importParts {
			return keyParts(r.Meta, len(r.Permissions), len(r.Roles), len(r.Ratelimits))
		},
		func(s *State, r *KeyRecord) importParts {
			if k := s.keys.find(r.ID); k != nil {
				a := k.access()
				return keyParts(k.meta(), len(a.permissions), len(a.roles), len(k.ratelimits()))
			}
			return importParts{}
		}),
	NamespaceKind:  importing(withoutCredits((*importer).takeNamespace), nil, nil),
	OverrideKind:   importing(withoutCredits((*importer).takeOverride), nil, nil),
	ImportMarkKind: importing((*importer).takeBalance, nil, nil),
}

// importing makes a row of functions that know the type of the record. nil: nothing makes it long.
func importing[R Record](
	take func(*importer, *workspace, R, ImportedCredits) ImportOutcome, parts func(R) importParts, before func(*State, R) importParts,
) importKind {
	if parts == nil {
		parts, before = func(R) importParts { return importParts{} }, func(*State, R) importParts { return importParts{} }
	}
	return importKind{
		take: func(m *importer, w *workspace, r Record, n ImportedCredits) ImportOutcome {
			return take(m, w, r.(R), n)
		},
		parts:  func(r Record) importParts { return parts(r.(R)) },
		before: func(s *State, r Record) importParts { return before(s, r.(R)) },
	}
}

func withoutCredits[R Record](take func(*importer, *workspace, R) ImportOutcome) func(*importer, *workspace, R, ImportedCredits) ImportOutcome {
	return func(m *importer, w *workspace, r R, _ ImportedCredits) ImportOutcome { return take(m, w, r) }
}

// permissionParts: each is found by its id and sorted.
func permissionParts(n int) importParts { return importParts{0, 2 * n, n} }

func keyParts(meta string, permissions, roles, ratelimits int) importParts {
	return importParts{len(meta), 2*permissions + roles + ratelimits, permissions + roles + ratelimits}
}

// work estimates what it costs to take a record with these parts.
func (p importParts) work() Work {
	return changeWork + identityWork + (timesHashed+1)*hashed(p.meta) + partWork*Work(p.lookups)
}

// size is about how many bytes a record with these parts has.
func (p importParts) size() int {
	const link = 32
	return p.meta + link*p.links
}
