//go:build nextversion

package fsm

import (
	"github.com/creditd/creditd/fsm/fields"
)

var (
	nextCommands = []*commandType{&annotateKeyType}
	nextRecords  = []recordRow{{&noteRecordType, load((*State).loadNote)}}
)

// nextState is the part of the ledger that has the notes.
type nextState struct {
	notes map[string]*note // by record id; nil: there are none
}

// AnnotateKey writes a note about a key; an empty text removes it. It leaves no audit entry: the workspace counts notes instead.
type AnnotateKey struct {
	KeyID string
	Text  string
}

var annotateKeyType = commandType{kind: 200, since: nextVersion, unaudited: true, create: create[AnnotateKey]}

func (*AnnotateKey) is() *commandType { return &annotateKeyType }

func (c *AnnotateKey) fields(v *fields.Visitor) {
	v.String(&c.KeyID)
	v.String(&c.Text)
}

func (c *AnnotateKey) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if _, refusal := s.permittedKey(root, c.KeyID, UpdateKeyPermission); refusal != nil {
		return nil, refusal
	}
	return func() Result {
		w, n := root.workspace, s.noteOf(noteID(root.workspace.id, c.KeyID))
		switch {
		case c.Text == "" && n != nil:
			s.remove(n)
			delete(s.notes, n.id())
		case c.Text != "" && n == nil:
			s.addNote(&note{workspace: w, keyID: c.KeyID, text: c.Text, at: s.clock})
		case c.Text != "":
			s.beforeChange(n)
			n.text, n.at = c.Text, s.clock
			s.afterChange(n)
		}
		s.beforeChange(w)
		w.Notes++
		s.afterChange(w)
		return &Annotated{Notes: w.Notes}
	}, nil
}

// note is a text about a key. It outlives the key.
type note struct {
	entityHeader
	workspace *workspace
	keyID     string
	text      string // not empty
	at        int64  // log time, Unix ms
}

func (n *note) id() string { return noteID(n.workspace.id, n.keyID) }

func (n *note) key() RecordKey { return RecordKey{NoteKind, n.id()} }

func (n *note) record() Record {
	return &NoteRecord{WorkspaceID: n.workspace.id, KeyID: n.keyID, Text: n.text, At: n.at}
}

func (n *note) digest() Digest { return digestOf(n.record()) }

func (n *note) resource() AuditResource { return AuditResource{KeyResource, n.keyID} }

func (s *State) noteOf(id string) *note { return s.notes[id] }

func (s *State) addNote(n *note) {
	if s.notes == nil {
		s.notes = make(map[string]*note)
	}
	s.notes[n.id()] = n
	s.add(n)
}

func (s *State) loadNote(r *NoteRecord) bool {
	w := s.workspaces[r.WorkspaceID]
	if w == nil || r.Text == "" || s.noteOf(noteID(r.WorkspaceID, r.KeyID)) != nil {
		return false
	}
	s.addNote(&note{workspace: w, keyID: r.KeyID, text: r.Text, at: r.At})
	return true
}

// NoteKind is the kind of a note.
const NoteKind Kind = 200

// NoteRecord is a note at rest.
type NoteRecord struct {
	WorkspaceID string
	KeyID       string
	Text        string
	At          int64
}

var noteRecordType = recordType{kind: NoteKind, since: nextVersion, create: createRecord[NoteRecord]}

func (*NoteRecord) is() *recordType { return &noteRecordType }

// Key names the record. A workspace's id has no slash.
func (r *NoteRecord) Key() RecordKey { return RecordKey{NoteKind, noteID(r.WorkspaceID, r.KeyID)} }

func (r *NoteRecord) fields(v *fields.Visitor) {
	v.String(&r.WorkspaceID)
	v.String(&r.KeyID)
	v.String(&r.Text)
	v.Int(&r.At)
}

func noteID(workspaceID, keyID string) string { return workspaceID + "/" + keyID }
