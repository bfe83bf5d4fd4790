package main

import (
	"encoding/json"
	"strconv"

	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

var _ = register(registration{use: "identity", short: "look at identities and change their credits",
	long: "Identities are the owners of keys. Their credits are shared by all of their keys."})

// identityShown is an identity as identities.getIdentity shows it.
type identityShown struct {
	ID           string          `json:"id"`
	ExternalID   string          `json:"externalId"`
	Meta         json.RawMessage `json:"meta"`
	Credits      *creditsShown   `json:"credits"`
	CreditPolicy string          `json:"creditPolicy"`
	Ratelimits   []limitShown    `json:"ratelimits"`
}

func (i identityShown) fields() [][]string {
	policy := i.CreditPolicy
	if policy == "" {
		policy = "identity"
	}
	rows := [][]string{{"id", i.ID}, {"external id", i.ExternalID}, {"credits", i.Credits.String()}, {"credit policy", policy}}
	for _, l := range i.Ratelimits {
		rows = append(rows, []string{"rate limit", l.String()})
	}
	return append(rows, []string{"meta", string(i.Meta)})
}

var _ = register(registration{group: "identity", use: "get IDENTITY", short: "show an identity",
	long: "Shows an identity with its balance. IDENTITY is its id or its external id; the id is tried\nfirst.",
	make: func() command { return &identityGet{} }})

type identityGet struct{ reporter }

func (i *identityGet) run(in invocation) error {
	return show[identityShown](&i.reporter, in, "identities.getIdentity", map[string]string{"identity": in.args[0]})
}

var _ = register(registration{group: "identity", use: "list", short: "show the identities of the workspace",
	long: "Shows the identities of the root key's workspace, in the order of their ids.",
	make: func() command {
		search := new(string)
		return &list[identityShown]{limit: pageSize, endpoint: "identities.listIdentities", header: []string{"ID", "EXTERNAL ID", "CREDITS", "POLICY", "RATE LIMITS"},
			row: func(i identityShown) []string {
				return []string{i.ID, i.ExternalID, i.Credits.String(), i.fields()[3][1], strconv.Itoa(len(i.Ratelimits))}
			},
			filters: func(s *settings.Set) { bindSearch(s, search, "the id or the external id") },
			ask:     func(_ invocation, _ *settings.Set, request map[string]any) { addSearch(request, *search) }}
	}})
