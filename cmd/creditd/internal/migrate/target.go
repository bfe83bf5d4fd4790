package migrate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/api/records"
)

// Target is the cluster. Its methods may be called from several goroutines.
type Target struct {
	nodes     []*client.Client
	workspace string
	anew      bool // what is there and not followed is the source's, too
	next      atomic.Uint64
}

// NewTarget spreads requests over nodes. An empty workspace is that of the root key.
func NewTarget(nodes []*client.Client, workspace string) *Target {
	return &Target{nodes: nodes, workspace: workspace}
}

// patience is how long a request is repeated that no node executes. A leader is elected within seconds.
const patience = 2 * time.Minute

// ErrGaveUp ends a pass whose cluster cannot be reached. The pass may begin again.
var ErrGaveUp = errors.New("the cluster executed nothing for 2m0s; start the command again, it goes on where it was")

// call repeats a request until a node executes or refuses it. The request must have no further effect when it is executed twice.
func (t *Target) call(ctx context.Context, endpoint string, request, result any, headers ...client.Header) error {
	_, err := t.list(ctx, endpoint, request, result, headers...)
	return err
}

// Place says which cluster and workspace this is, and how much of what is there is followed.
func (t *Target) Place(ctx context.Context) (place records.ImportState, err error) {
	request := map[string]any{}
	if t.workspace != "" {
		request["workspaceId"] = t.workspace
	}
	err = t.call(ctx, "records.getImport", request, &place)
	var refused *client.Error
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		if refused.Kind() == "workspace_not_found" {
			return place, fmt.Errorf("the cluster has no workspace %s. %s", t.workspace, whichWorkspace)
		}
		return place, fmt.Errorf("a node has a build that is older than this command; upgrade the nodes first: %w", err)
	}
	return place, err
}

const whichWorkspace = "--workspace names the one of the cluster, and --source-workspace the one that is read; without --workspace the records " +
	"go into that of the root key"

// list is call that also returns where the next page of a list begins.
func (t *Target) list(ctx context.Context, endpoint string, request, result any, headers ...client.Header) (next string, err error) {
	until := time.Now().Add(patience)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		node := t.nodes[t.next.Add(1)%uint64(len(t.nodes))]
		answer := node.Call(ctx, endpoint, request, result, headers...)
		switch {
		case ctx.Err() != nil:
			return "", ctx.Err()
		case answer.Err == nil:
			return answer.Cursor, nil
		case answer.Outcome == client.Refused:
			return "", answer.Err
		case time.Now().After(until):
			return "", fmt.Errorf("%w: %w", ErrGaveUp, answer.Err)
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(wait):
		}
	}
}

// importRecords sends records and returns an outcome for each.
func (t *Target) importRecords(ctx context.Context, rule string, readAt time.Time, batch []records.Record) ([]records.Outcome, error) {
	outcomes := make([]records.Outcome, 0, len(batch))
	for i := range batch {
		batch[i].WorkspaceID = t.workspace
	}
	for left := batch; len(left) > 0; {
		var answer records.ImportAnswer
		request, err := plainJSON(records.ImportRequest{OnConflict: rule, TrackBalances: true, ReadAt: records.Time(readAt.UnixMilli()), Records: left})
		if err != nil {
			return nil, err
		}
		if err := t.call(ctx, "records.importRecords", request, &answer); err != nil {
			return nil, err
		}
		if len(answer.Outcomes) != len(left) {
			return nil, fmt.Errorf("the cluster answered %d records with %d outcomes", len(left), len(answer.Outcomes))
		}
		done := 0
		for ; done < len(left) && answer.Outcomes[done].Outcome != records.Interrupted; done++ {
			if err := answer.Outcomes[done].WorkspaceFault(&left[done]); err != nil {
				return nil, fmt.Errorf("%w. %s", err, whichWorkspace)
			}
		}
		if done == 0 { // the contract has an error for that
			return nil, errors.New("the cluster interrupted the request before its first record")
		}
		outcomes, left = append(outcomes, answer.Outcomes[:done]...), left[done:]
	}
	return outcomes, nil
}

// plainJSON encodes < > and & as they are: the cluster keeps the meta of a key as it is spelled, and bounds its length.
func plainJSON(value any) (json.RawMessage, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return text.Bytes(), err
}
