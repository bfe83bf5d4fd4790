package migrate

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/records"
)

// thing is a record in a form that can be compared.
type thing struct {
	Kind, ID string
	Fields   map[string]string // as canonical JSON, without those that are empty
	Credits  *records.Credits
}

func thingOf(r *records.Record) *thing {
	t := &thing{Kind: r.Kind(), ID: r.ID(), Fields: map[string]string{}, Credits: creditsOf(r)}
	v := reflect.ValueOf(r).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Pointer && !f.IsNil() {
			v = f.Elem()
			break
		}
	}
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		value := v.Field(i).Interface()
		if credits, ok := value.(*records.Credits); ok && credits != nil {
			value = balanceOf(credits)
		}
		if hash, ok := value.(records.Hash); ok && hash != "" { // hexadecimal at the source, until its migration is done
			_, kept := mint.ParseHash(string(hash))
			value = base64.StdEncoding.EncodeToString(kept[:])
		}
		if text := canonical(value); text != "" {
			t.Fields[name] = text
		}
	}
	return t
}

// balanceOf leaves out which days were considered: source and cluster go on considering days.
func balanceOf(c *records.Credits) records.Credits {
	balance := *c
	balance.ConsideredAt = 0
	if balance.Refill == nil {
		balance.RefilledAt = 0
	}
	return balance
}

// canonical is JSON with sorted names; empty for what is absent.
func canonical(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return err.Error()
	}
	if text, err = json.Marshal(tree); err != nil {
		return err.Error()
	}
	switch string(text) {
	case "null", `""`, "{}", "[]", "0", "false":
		return ""
	}
	return string(text)
}

func creditsOf(r *records.Record) *records.Credits {
	switch {
	case r.Key != nil:
		return r.Key.Credits
	case r.Identity != nil:
		return r.Identity.Credits
	}
	return nil
}
