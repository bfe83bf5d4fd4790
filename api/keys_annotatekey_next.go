//go:build nextversion

package api

import "github.com/creditd/creditd/fsm"

func init() { nextEndpoints = append(nextEndpoints, annotateKey) }

type annotateKeyRequest struct {
	KeyID string `json:"keyId" schema:"required,minLength=3"`
	Text  string `json:"text" schema:"maxLength=1000"`
}

type annotatedOut struct {
	Notes uint64 `json:"notes"`
}

// annotateKey is keys.annotateKey. It exists only in the build for tests of upgrades.
func annotateKey() *endpoint {
	return write("keys.annotateKey", about{
		summary: "Write a note about a key",
		text:    "Without a text, the note is removed. The answer counts the notes that the workspace ever wrote.",
		needs:   []need{forOne(fsm.UpdateKeyPermission)},
		example: `{"keyId":"` + exampleKey + `","text":"called on Monday"}`,
		refuses: []fsm.RefusalCode{fsm.KeyNotFound, fsm.LedgerVersionTooLow},
	}, func(c *call, req annotateKeyRequest) (annotatedOut, error) {
		return change(c, &fsm.AnnotateKey{KeyID: req.KeyID, Text: req.Text}, func(r *fsm.Annotated) annotatedOut { return annotatedOut{r.Notes} })
	})
}
