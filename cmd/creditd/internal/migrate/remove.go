package migrate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

// removal is what became of a thing that was deleted at the source.
type removal int

const (
	absent     removal = iota // the cluster did not have it
	removed                   // it has no more
	protected                 // it still has it, and protects it from deletion
	foreign                   // it still has it, and the root key is of another workspace
	inUse                     // it still has it, an API with keys that did not come from the source
	unfollowed                // it still has it, and nothing says that it came from the source
)

// remove deletes in the cluster what was deleted at the source. Most of it went long ago, so it looks first what is there, many at a time.
func (t *Target) remove(ctx context.Context, items []unkey.Item) (became []removal, err error) {
	there, err := t.there(ctx, items)
	if err != nil {
		return nil, err
	}
	elsewhere, err := t.elsewhere(ctx)
	if err != nil {
		return nil, err
	}
	became = make([]removal, len(items))
	for i := range items {
		owner := items[i].Record.Key != nil || items[i].Record.Identity != nil
		switch {
		case !there[i]:
		case elsewhere && owner:
			became[i] = foreign
		case !elsewhere:
			if became[i], err = t.delete(ctx, &items[i].Record); err != nil {
				return nil, err
			}
		}
	}
	return became, nil
}

// elsewhere reports whether the records go into a workspace that is not the root key's. A deletion has no field for that: it would look for the
// names in the root key's workspace, where something else may have them.
func (t *Target) elsewhere(ctx context.Context) (bool, error) {
	if t.workspace == "" {
		return false, nil
	}
	own, err := (&Target{nodes: t.nodes}).Place(ctx)
	return own.WorkspaceID != t.workspace, err
}

func (t *Target) delete(ctx context.Context, record *records.Record) (removal, error) {
	became, err := t.mayGo(ctx, record)
	if became != removed || err != nil {
		return became, err
	}
	var endpoint string
	request := map[string]any{}
	switch {
	case record.Key != nil:
		endpoint, request["keyId"] = "keys.deleteKey", record.Key.ID
	case record.Identity != nil:
		endpoint, request["identity"] = "identities.deleteIdentity", record.Identity.ID
	case record.API != nil:
		endpoint, request["apiId"] = "apis.deleteApi", record.API.ID
	case record.Override != nil:
		endpoint, request["namespace"], request["identifier"] = "ratelimit.deleteOverride", record.Override.NamespaceID, record.Override.Identifier
	default:
		return absent, fmt.Errorf("nothing deletes a %s", record.Kind())
	}
	// Without the header, a repetition after a lost answer could delete what has the name now: an identity whose externalId is the id, for one.
	err = t.call(ctx, endpoint, request, nil, client.IdempotencyKey("migrate-"+rand.Text()))
	switch status(err) {
	case http.StatusNotFound:
		return absent, nil
	case http.StatusPreconditionFailed:
		return protected, nil
	}
	return removed, err
}

// mayGo returns removed for what may be deleted. It asks right before: what was there when many were looked at may have gone, and something else may
// have its name.
func (t *Target) mayGo(ctx context.Context, record *records.Record) (removal, error) {
	switch {
	case record.Identity != nil:
		there, err := t.ownersThere(ctx, []unkey.Item{{Record: *record}})
		if err != nil || !there[0] {
			return absent, err
		}
		return removed, nil
	case record.Key != nil: // nothing else can have its id
		return removed, nil
	}
	became, err := removed, error(nil)
	if record.API != nil {
		became, err = t.unused(ctx, record.API.ID)
	} else {
		became, err = t.sameOverride(ctx, record.Override)
	}
	if became != removed || err != nil {
		return became, err
	}
	switch place, err := t.Place(ctx); {
	case err != nil:
		return absent, err
	case place.Followed == 0 && !t.anew:
		return unfollowed, nil
	}
	return removed, nil
}

// sameOverride returns removed if the identifier still has the override.
func (t *Target) sameOverride(ctx context.Context, o *records.Override) (removal, error) {
	var have struct{ OverrideID records.ID }
	err := t.call(ctx, "ratelimit.getOverride", map[string]any{"namespace": o.NamespaceID, "identifier": o.Identifier}, &have)
	switch {
	case status(err) == http.StatusNotFound:
		return absent, nil
	case err != nil:
		return absent, err
	case have.OverrideID != o.ID:
		return absent, nil
	}
	return removed, nil
}

// unused returns removed for an API that may go: it has no more keys. Those of the source went before it, and the others would go with it.
func (t *Target) unused(ctx context.Context, api records.ID) (removal, error) {
	var keys []struct{}
	if there, err := t.hasAPI(ctx, api); !there || err != nil {
		return absent, err
	}
	switch err := t.call(ctx, "apis.listKeys", map[string]any{"apiId": api, "limit": 1}, &keys); {
	case status(err) == http.StatusNotFound: // how the contract hides keys from whoever may not read them
		return absent, fmt.Errorf("the root key lacks api.*.read_key, to see whether the API %s has keys that did not come from the source: %w", api, err)
	case err != nil:
		return absent, err
	case len(keys) > 0:
		return inUse, nil
	}
	return removed, nil
}

// hasAPI reports whether the cluster has an API. Requests cannot name one with an id of another form.
func (t *Target) hasAPI(ctx context.Context, id records.ID) (bool, error) {
	err := t.call(ctx, "apis.getApi", map[string]any{"apiId": id}, nil)
	switch status(err) {
	case http.StatusNotFound, http.StatusBadRequest:
		return false, nil
	}
	return err == nil, err
}

// status is that of a refusal; 0: err is none.
func status(err error) int {
	var refused *client.Error
	if errors.As(err, &refused) {
		return refused.Status
	}
	return 0
}

// there reports which things the cluster has.
func (t *Target) there(ctx context.Context, items []unkey.Item) ([]bool, error) {
	switch r := &items[0].Record; {
	case r.Key != nil, r.Identity != nil:
		return t.ownersThere(ctx, items)
	case r.Override != nil:
		return t.overridesThere(ctx, items)
	}
	there := make([]bool, len(items)) // APIs are few: each is tried
	for i := range there {
		there[i] = true
	}
	return there, nil
}

// ownersThere asks with balances of a time before every other one: they change nothing, and have an outcome for each owner. One that is there and
// was not taken over, or whose migration has ended, ends the pass: it is not the source's to delete.
func (t *Target) ownersThere(ctx context.Context, items []unkey.Item) ([]bool, error) {
	there := make([]bool, len(items))
	var batch []records.Record
	var asked []int
	for i := range items {
		balance := &records.Balance{}
		if r := &items[i].Record; r.Key != nil {
			balance.KeyID = r.Key.ID
		} else {
			balance.IdentityID = r.Identity.ID
		}
		question := records.Record{Balance: balance}
		if question.Validate() == nil { // else no cluster can have it
			batch, asked = append(batch, question), append(asked, i)
		}
	}
	if len(batch) == 0 {
		return there, nil
	}
	outcomes, err := t.importRecords(ctx, "skip", time.UnixMilli(1), batch)
	if err != nil {
		return nil, err
	}
	for i, outcome := range outcomes {
		if outcome.Reason == records.NotTracked && !t.anew {
			return nil, notTracked(batch[i].ID())
		}
		there[asked[i]] = outcome.Reason != records.ReferenceMissing && outcome.Reason != records.Deleted
	}
	return there, nil
}

// overridesThere lists the overrides of each namespace. Another override may have the identifier of one that was deleted, so the ids decide.
func (t *Target) overridesThere(ctx context.Context, items []unkey.Item) ([]bool, error) {
	ids := map[records.ID]map[records.ID]bool{} // by namespace
	there := make([]bool, len(items))
	for i := range items {
		override := items[i].Record.Override
		have, listed := ids[override.NamespaceID]
		if !listed {
			var err error
			if have, err = t.overridesOf(ctx, override.NamespaceID); err != nil {
				return nil, err
			}
			ids[override.NamespaceID] = have
		}
		there[i] = have[override.ID]
	}
	return there, nil
}

func (t *Target) overridesOf(ctx context.Context, namespace records.ID) (map[records.ID]bool, error) {
	ids := map[records.ID]bool{}
	for cursor := ""; ; {
		var page []struct{ OverrideID records.ID }
		next, err := t.list(ctx, "ratelimit.listOverrides", map[string]any{"namespace": namespace, "limit": 100, "cursor": cursor}, &page)
		if status(err) == http.StatusNotFound {
			return ids, nil
		}
		if err != nil {
			return nil, err
		}
		for _, one := range page {
			ids[one.OverrideID] = true
		}
		if cursor = next; cursor == "" {
			return ids, nil
		}
	}
}
