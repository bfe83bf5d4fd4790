package migrate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Export begins to read everything that a workspace has, at one moment. It asks one node after the other: a node makes one export at a time.
// An empty workspace is that of the root key.
func Export(ctx context.Context, nodes []string, rootKey, workspace string) (io.ReadCloser, error) {
	request := map[string]string{}
	if workspace != "" {
		request["workspaceId"] = workspace
	}
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	var failed error
	for _, node := range nodes {
		file, err := exportFrom(ctx, node, rootKey, body)
		if err == nil {
			return file, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

func exportFrom(ctx context.Context, node, rootKey string, body []byte) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, node+"/v2/records.exportRecords", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+rootKey)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response.Body, nil
	}
	defer func() { _ = response.Body.Close() }()
	var refused struct {
		Error struct {
			Detail string `json:"detail"`
		} `json:"error"`
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err == nil {
		err = json.Unmarshal(text, &refused)
	}
	if err != nil || refused.Error.Detail == "" {
		return nil, fmt.Errorf("records.exportRecords: %s answers %s", node, response.Status)
	}
	return nil, fmt.Errorf("records.exportRecords: %s answers %s: %s", node, response.Status, refused.Error.Detail)
}
