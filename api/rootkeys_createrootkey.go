package api

import (
	"slices"
	"strings"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type createRootKeyRequest struct {
	Name        string                  `json:"name" schema:"required,minLength=1,maxLength=255"`
	Permissions []string                `json:"permissions" schema:"minItems=1,maxItems=1000" items:"minLength=1,maxLength=512"`
	Preset      presetName              `json:"preset"`
	WorkspaceID string                  `json:"workspaceId" schema:"minLength=1,maxLength=255"`
	Expires     schema.Optional[expiry] `json:"expires"`
}

// presetName is one of fsm.PresetNames.
type presetName string

func (presetName) SchemaTag() string {
	return `schema:"enum=` + strings.Join(fsm.PresetNames(), "|") + `" doc:"A named list of permissions."`
}

// granted returns the permissions of the new key: those of the request, and then those of the preset.
func (req *createRootKeyRequest) granted() []string {
	all := slices.Clone(req.Permissions)
	for _, p := range fsm.PresetPermissions(string(req.Preset)) {
		if !slices.Contains(req.Permissions, p) {
			all = append(all, p)
		}
	}
	return all
}

type createRootKeyData struct {
	KeyID string `json:"keyId"`
	Key   string `json:"key"`
	// UnknownPermissions were stored and grant nothing.
	UnknownPermissions []string `json:"unknownPermissions,omitempty"`
}

// createRootKey is rootKeys.createRootKey, docs/contract.md 7.2.
func createRootKey() *endpoint {
	return write("rootKeys.createRootKey", about{
		summary: "Create a root key",
		text: "Only this answer shows the root key. Give `permissions`, a `preset` or both. A string that no endpoint asks for is stored and " +
			"grants nothing; `unknownPermissions` lists such strings.",
		needs:         []need{forAll(fsm.OperateClusterPermission)},
		example:       `{"name":"ci","permissions":["` + string(fsm.VerifyKeyPermission) + `","` + string(fsm.ReadKeyPermission) + `"]}`,
		returnsSecret: true,
	}, func(c *call, req createRootKeyRequest) (createRootKeyData, error) {
		permissions := req.granted()
		if len(permissions) == 0 {
			if err := c.authorize(fsm.OperateClusterPermission); err != nil {
				return createRootKeyData{}, err
			}
			return createRootKeyData{}, invalid("A root key needs 'permissions', a 'preset' or both")
		}
		var key string
		created, err := executeNew[*fsm.Created](c, func() fsm.Command {
			id := mint.ID(mint.Key)
			key, _ = c.secret(mint.RootPrefix, mint.RootKeyBytes, id)
			return &fsm.CreateRootKey{
				ID: id, Hash: mint.Hash(key), Name: req.Name, WorkspaceID: req.WorkspaceID,
				Permissions: permissions, Expires: expiresAt(req.Expires), Nonce: c.key.nonce,
			}
		})
		if err != nil {
			return createRootKeyData{}, err
		}
		if c.replayed {
			key, _ = c.secretOf(mint.RootPrefix, mint.RootKeyBytes, created.ID, created.Nonce)
		}
		unknown := slices.DeleteFunc(slices.Clone(req.Permissions), fsm.KnownPermission)
		return createRootKeyData{KeyID: created.ID, Key: key, UnknownPermissions: unknown}, nil
	})
}
