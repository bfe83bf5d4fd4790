package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/creditd/creditd/cmd/creditd/internal/settings"
	"github.com/creditd/creditd/fsm"
)

var _ = register(registration{use: "key", short: "look at keys, verify them, and change their credits",
	long: "Keys are the credentials that verifications check. These commands never show a key itself."})

// keyShown is a key as keys.getKey shows it.
type keyShown struct {
	KeyID       string          `json:"keyId"`
	Start       string          `json:"start"`
	Name        string          `json:"name"`
	Meta        json.RawMessage `json:"meta"`
	Enabled     bool            `json:"enabled"`
	CreatedAt   int64           `json:"createdAt"`
	UpdatedAt   int64           `json:"updatedAt"`
	LastUsedAt  int64           `json:"lastUsedAt"`
	Expires     *int64          `json:"expires"`
	Credits     *creditsShown   `json:"credits"`
	Identity    *identityShown  `json:"identity"`
	Permissions []string        `json:"permissions"`
	Roles       []string        `json:"roles"`
	Ratelimits  []limitShown    `json:"ratelimits"`
}

type limitShown struct {
	Name     string `json:"name"`
	Limit    int64  `json:"limit"`
	Duration int64  `json:"duration"`
}

func (l limitShown) String() string {
	return fmt.Sprintf("%s %d per %dms", l.Name, l.Limit, l.Duration)
}

func (k keyShown) fields() [][]string {
	rows := [][]string{
		{"key id", k.KeyID}, {"start", k.Start}, {"name", k.Name}, {"enabled", strconv.FormatBool(k.Enabled)}, {"credits", k.Credits.String()},
		{"expires", expiry(k.Expires)}, {"created", moment(k.CreatedAt)}, {"updated", momentOrNever(k.UpdatedAt)}, {"last used", momentOrNever(k.LastUsedAt)},
	}
	if k.Identity != nil {
		for _, row := range k.Identity.fields() {
			rows = append(rows, []string{"identity " + row[0], row[1]})
		}
	}
	rows = append(rows, []string{"roles", strings.Join(k.Roles, " ")}, []string{"permissions", strings.Join(k.Permissions, " ")})
	for _, l := range k.Ratelimits {
		rows = append(rows, []string{"rate limit", l.String()})
	}
	return append(rows, []string{"meta", string(k.Meta)})
}

var _ = register(registration{group: "key", use: "get [KEYID]", short: "show a key, by its id or by the key itself",
	long: `Shows a key with its balance, its identity, its permissions and its rate limits. Without KEYID it
reads the key itself from stdin, because other users of the machine can see arguments.`,
	make: func() command { return &keyGet{} }})

type keyGet struct{ reporter }

func (k *keyGet) run(in invocation) error {
	endpoint, request := "keys.getKey", map[string]any{}
	if len(in.args) > 0 {
		request["keyId"] = in.args[0]
	} else {
		key, err := readKey(in.stdin)
		if err != nil {
			return err
		}
		endpoint, request["key"] = "keys.whoami", key
	}
	err := show[keyShown](&k.reporter, in, endpoint, request)
	if notFound(err) {
		return k.hidden(fsm.ReadKeyPermission, in.stderr, err)
	}
	return err
}

// fielded is an answer that a table shows field by field.
type fielded interface{ fields() [][]string }

// show asks for one thing and prints it.
func show[T fielded](r *reporter, in invocation, endpoint string, request any) error {
	var text json.RawMessage
	if err := r.call(endpoint, request, &text); err != nil {
		return err
	}
	return printThing[T](r, in, text)
}

func printThing[T fielded](r *reporter, in invocation, text json.RawMessage) error {
	var thing T
	if err := json.Unmarshal(text, &thing); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	return r.printValue(in, text, thing)
}

// maxKeyBytes is the longest key that the API takes.
const maxKeyBytes = 512

// readKey reads a key from stdin. No message repeats it.
func readKey(stdin io.Reader) (string, error) {
	if stdin == nil {
		return "", errors.New("there is no stdin to read the key from")
	}
	text, err := io.ReadAll(io.LimitReader(stdin, maxKeyBytes+3))
	if err != nil {
		return "", fmt.Errorf("read the key from stdin: %w", err)
	}
	key := bytes.TrimSpace(text)
	switch {
	case len(key) == 0:
		return "", errors.New("stdin holds no key; give it a file that has one: < key.txt")
	case len(key) > maxKeyBytes || bytes.ContainsAny(key, "\n\r"):
		return "", fmt.Errorf("stdin holds more than one key of at most %d bytes", maxKeyBytes)
	}
	return string(key), nil
}

var _ = register(registration{group: "key", use: "list API", short: "show the keys of an API",
	long: "Shows the keys of an API in the order of their ids, with their own balances. API is an id, as\n'creditd api list' shows it.",
	make: func() command {
		var externalID string
		return &list[keyShown]{limit: pageSize, endpoint: "apis.listKeys", hides: fsm.ReadKeyPermission,
			header: []string{"KEY ID", "START", "NAME", "ENABLED", "CREDITS", "IDENTITY", "EXPIRES", "LAST USED"},
			row: func(k keyShown) []string {
				external := ""
				if k.Identity != nil {
					external = k.Identity.ExternalID
				}
				return []string{k.KeyID, k.Start, k.Name, strconv.FormatBool(k.Enabled), k.Credits.String(), external, expiry(k.Expires), momentOrNever(k.LastUsedAt)}
			},
			filters: func(s *settings.Set) {
				s.Text(&externalID, "external-id", "ID", "only the keys of this identity")
			},
			ask: func(in invocation, _ *settings.Set, request map[string]any) {
				if len(in.args) > 0 {
					request["apiId"] = in.args[0]
				}
				if externalID != "" {
					request["externalId"] = externalID
				}
			}}
	}})

var _ = register(registration{group: "key", use: "verify", short: "verify a key from stdin",
	long: `Reads a key from stdin and verifies it as an application does: the key is debited. With --dry-run
nothing changes. The exit code is 3 if the key is not valid, and 5 if the root key may not verify
keys.`,
	make: func() command { return &keyVerify{cost: 1} }})

type keyVerify struct {
	reporter
	cost        int64
	permissions string
	dryRun      bool
	repetition  repetition
}

func (k *keyVerify) bind(s *settings.Set) {
	s.Group("Verification")
	settings.Number(s, &k.cost, "cost", 0, 1_000_000_000_000, "credits to debit")
	s.Text(&k.permissions, "permissions", "QUERY", "a permission query, such as 'docs.read AND docs.write'")
	s.Switch(&k.dryRun, "dry-run", "say what would be answered, and debit nothing")
	k.repetition.bind(s)
	k.reporter.bind(s)
}

// verdictShown is the answer of keys.verifyKey and keys.previewVerification.
type verdictShown struct {
	Valid    bool           `json:"valid"`
	Code     string         `json:"code"`
	KeyID    string         `json:"keyId"`
	Credits  *int64         `json:"credits"`
	Name     string         `json:"name"`
	Expires  *int64         `json:"expires"`
	Identity *identityShown `json:"identity"`
}

func (v verdictShown) fields() [][]string {
	rows := [][]string{{"valid", strconv.FormatBool(v.Valid)}, {"code", v.Code}}
	if v.KeyID == "" {
		return rows
	}
	rows = append(rows, []string{"key id", v.KeyID}, []string{"name", v.Name}, []string{"remaining", amount(v.Credits, "unlimited")}, []string{"expires", expiry(v.Expires)})
	if v.Identity != nil {
		rows = append(rows, []string{"identity", cmp.Or(v.Identity.ExternalID, v.Identity.ID)})
	}
	return rows
}

func (k *keyVerify) run(in invocation) error {
	key, err := readKey(in.stdin)
	if err != nil {
		return err
	}
	request := map[string]any{"key": key, "credits": map[string]int64{"cost": k.cost}}
	if k.permissions != "" {
		request["permissions"] = k.permissions
	}
	var text json.RawMessage
	if k.dryRun {
		err = k.call("keys.previewVerification", request, &text)
	} else {
		err = k.repetition.once(&k.operator, "keys.verifyKey", request, &text)
	}
	if err != nil {
		return err
	}
	if err := printThing[verdictShown](&k.reporter, in, text); err != nil {
		return err
	}
	var v verdictShown
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	if v.Valid {
		return nil
	}
	err = &negative{fmt.Errorf("the key is not valid: %s", v.Code)}
	if v.Code == "NOT_FOUND" {
		return k.hidden(fsm.VerifyKeyPermission, in.stderr, err)
	}
	return err
}
