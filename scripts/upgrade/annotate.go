package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/launch"
)

// annotated are the notes of a round. The build with the tag nextversion adds the command keys.annotateKey, with a record kind, a result,
// and a field that counts the notes.
type annotated struct {
	keyID string
	notes int // that were written
}

// annotatable says whether the newer build has the command.
func (r *round) annotatable() bool { return r.newPath == "" && r.oldPath == "" }

// refuseNotes sends the command to a node of the newer build while the ledger version is low. The answer must say which version the
// command needs and which node keeps it low; the ledger must not change, or check finds that the nodes differ.
func (r *round) refuseNotes(ctx context.Context) error {
	if !r.annotatable() {
		return nil
	}
	for i := range nodes {
		if !r.onNew[i] { // the older build has no such endpoint
			continue
		}
		err := r.annotate(ctx, i, "too early")
		var failed *client.Error
		switch {
		case !errors.As(err, &failed):
			return fmt.Errorf("node %d answers keys.annotateKey with %w", i, err)
		case failed.Status == http.StatusPreconditionFailed &&
			strings.Contains(failed.Detail, fmt.Sprintf("ledger version %d", r.new.max)) && strings.Contains(failed.Detail, r.old.version):
		default:
			return fmt.Errorf("node %d answers keys.annotateKey too early with %w", i, err)
		}
	}
	return r.check(ctx)
}

// writeNotes uses the command through all nodes once the ledger version has risen.
func (r *round) writeNotes(ctx context.Context) error {
	if !r.annotatable() {
		return nil
	}
	for text := range 3 * nodes {
		if err := r.annotate(ctx, text%nodes, strings.Repeat("x", text)); err != nil { // the first one removes what is not there
			return err
		}
	}
	return r.check(ctx)
}

// annotate writes a note through node i. The answer counts all notes, so a node that lost some of them is found.
func (r *round) annotate(ctx context.Context, i int, text string) error {
	if r.annotated.keyID == "" {
		apiID, err := r.cluster.CreateAPI(ctx)
		if err != nil {
			return err
		}
		key, err := r.cluster.CreateKey(ctx, apiID, 1)
		if err != nil {
			return err
		}
		r.annotated.keyID = key.ID
	}
	node := launch.NewClient(r.cluster.HTTPAddr(i), stepTimeout)
	defer node.Close()
	var data struct {
		Notes int `json:"notes"`
	}
	if err := node.Call(ctx, "keys.annotateKey", map[string]any{"keyId": r.annotated.keyID, "text": text}, &data).Err; err != nil {
		return err
	}
	if r.annotated.notes++; data.Notes != r.annotated.notes {
		return fmt.Errorf("node %d counts %d notes, not %d", i, data.Notes, r.annotated.notes)
	}
	return nil
}

// installSnapshot deletes the data of a node, so that it is sent a full snapshot, which has what the newer version added.
func (r *round) installSnapshot(ctx context.Context) error {
	node, err := r.cluster.Follower(ctx)
	if err != nil {
		return err
	}
	r.cluster.Kill(node)
	if err := r.cluster.Wipe(node); err != nil {
		return err
	}
	if err := r.cluster.Start(node); err != nil {
		return err
	}
	ready, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	if err := r.cluster.AwaitNode(ready, node); err != nil {
		return err
	}
	return r.writeNotes(ctx)
}
