package schema_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/creditd/creditd/api/schema"
)

// BenchmarkDecode_BesideNoValidation measures what validation costs a valid body. It decodes the body with its description, with a
// description that limits nothing, and with encoding/json. The three take turns, and the quickest turn of each counts, so that other work
// on the machine does not.
func BenchmarkDecode_BesideNoValidation(b *testing.B) {
	b.Run("verifyKey", func(b *testing.B) {
		beside[verifyKeyRequest, anyVerifyKey, anyVerifyKey](b, verifyBody)
	})
	b.Run("createKey", func(b *testing.B) {
		beside[createKeyRequest, anyCreateKey[schema.Object], anyCreateKey[json.RawMessage]](b, createBody)
	})
	b.Run("createKey_large", func(b *testing.B) {
		beside[createKeyRequest, anyCreateKey[schema.Object], anyCreateKey[json.RawMessage]](b, largeCreateBody())
	})
}

// anyVerifyKey and anyCreateKey are the requests without their limits.
type anyVerifyKey struct {
	Key     string `json:"key"`
	Credits *struct {
		Cost int64 `json:"cost"`
	} `json:"credits"`
	Tags        []string `json:"tags"`
	Permissions *string  `json:"permissions"`
	Ratelimits  []struct {
		Name     string `json:"name"`
		Cost     int64  `json:"cost"`
		Limit    *int64 `json:"limit"`
		Duration *int64 `json:"duration"`
	} `json:"ratelimits"`
	MigrationID string `json:"migrationId"`
}

type anyCreateKey[object any] struct {
	APIID       string   `json:"apiId"`
	Prefix      *string  `json:"prefix"`
	Name        *string  `json:"name"`
	ByteLength  *int64   `json:"byteLength"`
	ExternalID  *string  `json:"externalId"`
	Meta        object   `json:"meta"`
	Roles       []string `json:"roles"`
	Permissions []string `json:"permissions"`
	Expires     *int64   `json:"expires"`
	Credits     *struct {
		Remaining *int64 `json:"remaining"`
		Refill    *struct {
			Interval  string `json:"interval"`
			Amount    int64  `json:"amount"`
			RefillDay *int64 `json:"refillDay"`
		} `json:"refill"`
	} `json:"credits"`
	Ratelimits []struct {
		Name      string `json:"name"`
		Limit     int64  `json:"limit"`
		Duration  int64  `json:"duration"`
		AutoApply bool   `json:"autoApply"`
	} `json:"ratelimits"`
	Enabled     bool `json:"enabled"`
	Recoverable bool `json:"recoverable"`
}

// largeCreateBody has 100 permissions, 20 rate limits and 100 members of metadata.
func largeCreateBody() string {
	var slugs, limits, meta []string
	for i := range 100 {
		slugs = append(slugs, fmt.Sprintf(`"documents.collection_%02d.write"`, i))
		meta = append(meta, fmt.Sprintf(`"member_%02d":"a value of some length, as metadata has"`, i))
	}
	for i := range 20 {
		limits = append(limits, fmt.Sprintf(`{"name":"requests_%02d","limit":100,"duration":60000,"autoApply":true}`, i))
	}
	return `{"apiId":"api_2cGKbMxRyjIzhCxo1","externalId":"user_123","permissions":[` + strings.Join(slugs, ",") +
		`],"ratelimits":[` + strings.Join(limits, ",") + `],"meta":{` + strings.Join(meta, ",") + `},"credits":{"remaining":1000}}`
}

func beside[described, free, plain any](b *testing.B, text string) {
	limited, unlimited := schema.MustCompile[described]("limited"), schema.MustCompile[free]("unlimited")
	body := []byte(text)
	decoders := []struct {
		unit   string
		decode func() error
		took   time.Duration
	}{
		{unit: "ns/validated", decode: func() error { return asError(limited.Decode(body)) }},
		{unit: "ns/unlimited", decode: func() error { return asError(unlimited.Decode(body)) }},
		{unit: "ns/encoding-json", decode: func() error {
			var request plain
			return json.Unmarshal(body, &request)
		}},
	}
	const turn = 20
	for i := range decoders {
		decoders[i].took = math.MaxInt64
	}
	for b.Loop() {
		for i := range decoders {
			began := time.Now()
			for range turn {
				if err := decoders[i].decode(); err != nil {
					b.Fatal(err)
				}
			}
			decoders[i].took = min(decoders[i].took, time.Since(began))
		}
	}
	b.ReportMetric(0, "ns/op") // of all three together, which says nothing
	for _, d := range decoders {
		b.ReportMetric(float64(d.took.Nanoseconds())/turn, d.unit)
	}
}

func asError[T any](_ T, problem *schema.Problem) error {
	if problem != nil {
		return fmt.Errorf("%+v", problem.Errors)
	}
	return nil
}
