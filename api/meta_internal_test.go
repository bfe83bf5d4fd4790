package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// Metas stand in an answer as package encoding/json would write them, whatever they and the other texts contain.
func TestShow_MetasStandWhereTheyBelong(t *testing.T) {
	tricky := `{"meta":{},"x":"\"meta\":{}","y":[{"meta":{}}]}`
	for _, own := range []string{"", "{}", `{"a":1}`, tricky} {
		for _, owners := range []string{"", `{"b":2}`, tricky} {
			k := &fsm.Key{ID: "key_1", Name: `"meta":{}`, Meta: own, Identity: &fsm.Identity{ID: "id_1", ExternalID: "x", Meta: owners}}
			want, err := json.Marshal(showKey(k))
			require.NoError(t, err)
			require.Equal(t, string(want), string(appendData(nil, showKey(k))))
			want, err = json.Marshal(showIdentity(k.Identity))
			require.NoError(t, err)
			require.Equal(t, string(want), string(appendData(nil, showIdentity(k.Identity))))
			page := pageOf([]fsm.Key{*k, {ID: "key_2", Meta: tricky}}, "", showKey)
			text, err := page.appendPage(nil, func(int) error { return nil })
			require.NoError(t, err)
			want, err = json.Marshal(page.list())
			require.NoError(t, err)
			require.Equal(t, string(want)+`,"pagination":{"hasMore":false}`, string(text))
		}
	}
}

// A page of large metas must cost little more than its bytes: a tenant may ask for it as often as it likes.
func BenchmarkShow_IdentityWithAMiB(b *testing.B) {
	i := &fsm.Identity{ID: "id_1", ExternalID: "x", Meta: `{"x":[` + strings.Repeat(`"xxxx",1,`, (1<<20-20)/9) + `1]}`}
	var out []byte
	for b.Loop() {
		out = appendData(out[:0], showIdentity(i))
	}
}
