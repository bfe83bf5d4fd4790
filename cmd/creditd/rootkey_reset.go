package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

var _ = register(registration{group: "rootkey", use: "reset", short: "make a root key for a cluster whose root keys are lost",
	long: `Makes a root key with all permissions, prints it once, and leaves its hash in the data directory
of a node that does not run. When the node runs again and its cluster serves, the node adds the
root key like any other: all nodes get it, and it is in the audit log. Other root keys stay. The
command is for whoever may write to the data directory; nobody can use it over the network.`,
	make: func() command { return &rootkeyReset{} }})

type rootkeyReset struct{ dir string }

func (r *rootkeyReset) bind(s *settings.Set) {
	s.Group("Data")
	s.Text(&r.dir, "data-dir", "DIR", "the data directory of a node that does not run; required")
}

func (r *rootkeyReset) check(_ invocation, s *settings.Set) {
	if r.dir == "" {
		s.Refuse("data-dir", "missing; name the data directory of a node that does not run")
	}
}

// resetRequest is what waits in the data directory. It has no secret.
type resetRequest struct {
	ID   string `json:"id"`
	Hash string `json:"hash"` // SHA-256 of the root key, in hexadecimal
}

func (r *rootkeyReset) run(in invocation) error {
	key := mint.RootKey()
	hash := mint.Hash(key)
	request, err := json.Marshal(resetRequest{ID: mint.ID(mint.Key), Hash: hex.EncodeToString(hash[:])})
	if err != nil {
		return err
	}
	if err := becomeOwner(r.dir); err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	replaced, err := store.RequestRootKeyReset(r.dir, append(request, '\n'))
	if err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	if _, err = fmt.Fprintln(in.stdout, key); err != nil {
		return err
	}
	if replaced {
		fmt.Fprintln(in.stderr, "The root key of an earlier reset was not added yet, and never will be: this one takes its place.")
	}
	_, err = fmt.Fprintln(in.stderr, "Start the node as before. The root key counts once the log says: root key added.")
	return err
}

// parseReset reads what `creditd rootkey reset` left. Half a hash would be a root key that nobody has.
func parseReset(text []byte) (id string, hash fsm.Hash, err error) {
	var request resetRequest
	if err := json.Unmarshal(text, &request); err != nil {
		return "", hash, err
	}
	raw, err := hex.DecodeString(request.Hash)
	if err != nil || len(raw) != len(hash) || request.ID == "" {
		return "", hash, errors.New("it has no id, or no SHA-256 hash in hexadecimal")
	}
	return request.ID, fsm.Hash(raw), nil
}

// resetPause is between two attempts of a cluster that does not serve yet.
const resetPause = time.Second

// resetRootKey adds the root key that waits in the data directory, as soon as the cluster serves. A repetition adds nothing: the id is the same.
func resetRootKey(ctx context.Context, data *store.Store, node *servedNode, log *slog.Logger) {
	text, err := data.RootKeyReset()
	if err != nil || text == nil {
		if err != nil {
			log.Error("the request to add a root key cannot be read", "err", err)
		}
		return
	}
	log.Warn("a root key that was made with 'creditd rootkey reset' waits until the cluster serves")
	id, hash, err := parseReset(text)
	if err != nil {
		log.Error("the request to add a root key is damaged: make another one with 'creditd rootkey reset'", "err", err)
		return
	}
	said := ""
	for {
		err := addRootKey(ctx, node, id, hash)
		if err == nil {
			err = data.ClearRootKeyReset()
		}
		switch {
		case err == nil:
			log.Warn("root key added: revoke those that are lost with 'creditd rootkey revoke'", "rootKey", id)
			return
		case ctx.Err() != nil:
			return
		}
		if text := err.Error(); text != said {
			said = text
			log.Warn("the root key could not be added yet", "err", err)
		}
		select {
		case <-time.After(resetPause):
		case <-ctx.Done():
			return
		}
	}
}

var errNoOperator = errors.New("no root key of this ledger may operate the cluster for ever")

// addRootKey adds the root key in the name of one that may. It is an ordinary command, so nodes of every build execute it alike.
func addRootKey(ctx context.Context, node *servedNode, id string, hash fsm.Hash) error {
	if err := node.Ready(); err != nil {
		return err
	}
	actor, ok := node.Operator()
	if !ok {
		return errNoOperator
	}
	result, _, err := node.Execute(ctx, fsm.Call{
		Actor: actor, Origin: &fsm.Origin{RequestID: "rootkey-reset", UserAgent: "creditd rootkey reset"},
		Command: &fsm.CreateRootKey{ID: id, Hash: hash, Name: "reset", Permissions: fsm.PresetPermissions("admin"), Expires: fsm.Never},
	})
	if err != nil {
		return err
	}
	if refusal, refused := result.(*fsm.Refusal); refused && refusal.Code != fsm.IDTaken { // taken: by an attempt before
		return fmt.Errorf("the ledger refused the root key: %v", refusal.Code)
	}
	return nil
}
