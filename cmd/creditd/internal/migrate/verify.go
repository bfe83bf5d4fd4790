package migrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

// Difference is a field that source and cluster do not have alike.
type Difference struct {
	Kind    string          `json:"kind"`
	ID      string          `json:"id"`
	Field   string          `json:"field"`  // empty: the whole thing
	Source  json.RawMessage `json:"source"` // null: absent
	Cluster json.RawMessage `json:"cluster"`
}

// The values of a difference of the whole thing.
var (
	there   = json.RawMessage("true")
	missing = json.RawMessage("null")
)

// Comparison counts what Verify found.
type Comparison struct {
	Compared    map[string]int `json:"compared"` // things, by kind
	Balances    int            `json:"balances"`
	Granted     int            `json:"granted"` // balances that only a refill of the cluster made higher
	Differences int            `json:"differences"`
	First       []Difference   `json:"first,omitempty"`
}

// firstShown is how many differences the result lists. The report has all.
const firstShown = 20

// Verify compares every thing that the source has with the export of the cluster, field by field. It changes nothing. What neither side can be
// blamed for is no difference: when a key was used or changed, and a refill that the cluster gave and the source will give.
func Verify(ctx context.Context, source *unkey.Source, export io.Reader, report *Report, progress *Progress) (c *Comparison, err error) {
	c = &Comparison{Compared: map[string]int{}}
	have, err := spool(export)
	if err != nil {
		return nil, fmt.Errorf("read the export of the cluster: %w", err)
	}
	defer func() { err = errors.Join(err, have.close()) }()
	note := func(d Difference) error {
		c.Differences++
		if len(c.First) < firstShown {
			c.First = append(c.First, d)
		}
		return report.difference(d)
	}
	for _, table := range source.Tables() {
		progress.begin(step{table: table}, 0)
		err := source.Pages(ctx, unkey.Query{Table: table}, func(page *unkey.Page) error {
			progress.add(page.Read, 0)
			for i := range page.Items {
				if err := c.compare(&page.Items[i].Record, have, note); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return c, have.rest(func(r *thing) error {
		if r.Kind == "namespace" {
			return nil // the first request with a name makes one, and nothing deletes it
		}
		return note(Difference{Kind: r.Kind, ID: r.ID, Source: missing, Cluster: there})
	})
}

func (c *Comparison) compare(record *records.Record, have *spooled, note func(Difference) error) error {
	want := thingOf(record)
	c.Compared[want.Kind]++
	got, err := have.find(want.Kind, want.ID)
	if err != nil {
		return err
	}
	if got == nil {
		return note(Difference{Kind: want.Kind, ID: want.ID, Source: there, Cluster: missing})
	}
	for _, name := range slices.Sorted(fieldNames(want.Fields, got.Fields)) {
		if name == "credits" {
			c.Balances++
			if refilledHere(want.Credits, got.Credits) {
				c.Granted++
				continue
			}
		}
		if w, g := want.Fields[name], got.Fields[name]; w != g && !ignored(want.Kind, name, w) {
			if err := note(Difference{want.Kind, want.ID, name, shown(w), shown(g)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// ignored reports whether the field may differ.
func ignored(kind, name, want string) bool {
	switch name {
	case "lastUsedAt", "updatedAt":
		return true
	case "keyspaceId":
		return want == "" // an API without keys has none at the source
	case "createdAt":
		return kind == "migration" // the source keeps none
	}
	return false
}

func shown(text string) json.RawMessage {
	if text == "" {
		return missing
	}
	return json.RawMessage(text)
}

func fieldNames(maps ...map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		for _, m := range maps {
			for name := range m {
				if !seen[name] && !yield(name) {
					return
				}
				seen[name] = true
			}
		}
	}
}

// refilledHere reports whether the cluster gave a refill that the source has not given yet, and nothing else differs.
func refilledHere(source, cluster *records.Credits) bool {
	if source == nil || cluster == nil || source.Refill == nil || cluster.Refill == nil || *source.Refill != *cluster.Refill {
		return false
	}
	return cluster.RefilledAt > source.RefilledAt && cluster.Remaining == max(source.Remaining, source.Refill.Amount)
}

// WriteText writes the result for people.
func (c *Comparison) WriteText(w io.Writer) error {
	for _, kind := range slices.Sorted(maps.Keys(c.Compared)) {
		fmt.Fprintf(w, "%-12s %d compared\n", kind, c.Compared[kind])
	}
	fmt.Fprintf(w, "%-12s %d compared, %d of them refilled by the cluster only\n", "balance", c.Balances, c.Granted)
	for _, d := range c.First {
		fmt.Fprintf(w, "differs: %s %s %s: source %s, cluster %s\n", d.Kind, d.ID, d.Field, brief(d.Source), brief(d.Cluster))
	}
	_, err := fmt.Fprintf(w, "%d differences\n", c.Differences)
	return err
}

// brief cuts a long value.
func brief(value json.RawMessage) string {
	const most = 200
	if len(value) > most {
		return strings.ToValidUTF8(string(value[:most]), "") + "…"
	}
	return string(value)
}
