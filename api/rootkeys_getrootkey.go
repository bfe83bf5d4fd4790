package api

import "github.com/creditd/creditd/fsm"

type getRootKeyRequest struct{}

// getRootKey is rootKeys.getRootKey, docs/contract.md 7.2.
func getRootKey() *endpoint {
	return read("rootKeys.getRootKey", about{
		summary: "Show the root key of the request",
		text: "Every root key may ask what it may do: where a permission is missing, other endpoints may answer as if a key did not exist. The answer " +
			"shows no part of the root key itself.",
		example: `{}`,
	}, func(c *call, _ getRootKeyRequest) (rootKeyOut, error) {
		return ask(c, &fsm.GetRootKey{}, func(found *fsm.RootKeys) rootKeyOut { return showRootKey(&found.List[0]) })
	})
}
