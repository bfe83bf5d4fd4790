package schema_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Decode must give the oracle's answer for every text, JSON or not.
func FuzzDecode(f *testing.F) {
	f.Add(uint8(0), []byte(verifyBody))
	f.Add(uint8(1), []byte(createBody))
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		if len(body) > oracleBody || longExponent.Match(body) {
			t.Skip("the oracle does not know")
		}
		oracles[int(which)%len(oracles)].check(t, body)
	})
}

// Mutated bytes seldom get past the syntax. Bodies made from the schema, each with a chance of being wrong in any
// place, reach the rules behind it.
func TestDecode_AgreesWithValidator(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rounds := 5_000
	if testing.Short() {
		rounds = 500
	}
	for _, o := range oracles {
		g := generator{rand: rand.New(rand.NewPCG(seed, 0))}
		for range rounds {
			g.oddity = g.rand.IntN(30)
			if body := g.value(o.schema); len(body) <= oracleBody {
				o.check(t, []byte(body))
			}
		}
	}
}

// generator writes bodies that mostly follow a schema.
type generator struct {
	rand   *rand.Rand
	oddity int // chance in percent that a value or name is not what the schema wants
}

func (g *generator) odd() bool { return g.rand.IntN(100) < g.oddity }

func pick[T any](g *generator, list ...T) T { return list[g.rand.IntN(len(list))] }

func (g *generator) value(sch map[string]any) string {
	if g.odd() {
		return g.any()
	}
	types, ok := sch["type"].([]any)
	if !ok {
		types = []any{sch["type"]}
	}
	switch pick(g, types...) {
	case "null":
		return "null"
	case "boolean":
		return pick(g, "true", "false")
	case "integer":
		return g.integer(sch)
	case "string":
		return g.string(sch)
	case "array":
		return g.array(sch)
	case "object":
		return g.object(sch)
	}
	return g.any() // unsupported
}

func (g *generator) any() string {
	return pick(g, "null", "true", "0", "-0", "1.0", "1e2", "100e-2", "0.5", "0e-99", "-1", "9223372036854775807", "9223372036854775808",
		"-9223372036854775809", "1e30", "4102444800001", `""`, `"a"`, `"ab c"`, `"é\u00e9\ud83d\ude00"`, `[]`, `[null]`, `{}`, `{"a":1,"a":[{"b":1,"\u0062":2}]}`)
}

func (g *generator) integer(sch map[string]any) string {
	low, high := int64(-1), int64(1_000_000)
	if n, ok := sch["minimum"].(json.Number); ok {
		low, _ = n.Int64()
	}
	if n, ok := sch["maximum"].(json.Number); ok {
		high, _ = n.Int64()
	}
	n := low + g.rand.Int64N(high-low+1)
	if g.odd() {
		return fmt.Sprint(pick(g, low-1, low, high, high+1))
	}
	return fmt.Sprint(n) + pick(g, "", "", "", "", "", "", "", "", "", ".0", "e0", "E1")
}

func (g *generator) string(sch map[string]any) string {
	if values, ok := sch["enum"].([]any); ok {
		return fmt.Sprintf("%q", pick(g, values...))
	}
	n := 3 + g.rand.IntN(6)
	if g.odd() {
		n = g.rand.IntN(20)
	}
	var b strings.Builder
	for range n {
		if g.odd() {
			b.WriteString(pick(g, " ", "ü", `\n`, `\"`, `\/`, "😀", `\u0041`, `\ud83d\ude00`, "'", "\u2028", "\x7f"))
			continue
		}
		b.WriteString(pick(g, "a", "B", "7", "_"))
	}
	return `"` + b.String() + `"`
}

func (g *generator) space() string { return pick(g, "", "", "", "", " ", "\n\t", "\r ") }

func (g *generator) array(sch map[string]any) string {
	parts := make([]string, pick(g, 0, 1, 1, 2, 3))
	for i := range parts {
		parts[i] = g.space() + g.value(sch["items"].(map[string]any)) + g.space()
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func (g *generator) object(sch map[string]any) string {
	properties, _ := sch["properties"].(map[string]any)
	required, _ := sch["required"].([]any)
	var parts []string
	for name, sub := range properties {
		times := pick(g, 0, 0, 1)
		if slices.Contains(required, any(name)) {
			times = 1
		}
		if g.odd() {
			times = pick(g, 0, 1, 2)
		}
		for range times {
			parts = append(parts, g.member(name, g.value(sub.(map[string]any))))
		}
	}
	if g.odd() || properties == nil {
		parts = append(parts, g.member(pick(g, "zz", "zzz", "KEY", "it's", ""), g.any()))
	}
	g.rand.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return "{" + strings.Join(parts, ",") + "}"
}

func (g *generator) member(name, value string) string {
	if g.odd() && name != "" {
		name = fmt.Sprintf(`\u%04x`, name[0]) + name[1:]
	}
	return g.space() + `"` + name + `"` + g.space() + ":" + g.space() + value + g.space()
}
