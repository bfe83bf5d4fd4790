package schema_test

import "testing"

const verifyBody = `{"key":"prod_2cGKbMxRyIzhCxo1IdjH3arE","credits":{"cost":1}}`

func BenchmarkDecode_VerifyKey(b *testing.B) {
	body := []byte(verifyBody)
	b.ReportAllocs()
	for b.Loop() {
		if _, problem := verifyKey.Decode(body); problem != nil {
			b.Fatal(problem)
		}
	}
}

const createBody = `{"apiId":"api_2cGKbMxRyjIzhCxo1","byteLength":16,"enabled":true,"recoverable":false,"prefix":"prod",` +
	`"externalId":"user_123","meta":{"plan":"pro","tags":["a","b"],"limits":{"x":1}},"roles":["admin"],"permissions":["a.b","c.d"],` +
	`"credits":{"remaining":1000,"refill":{"interval":"monthly","amount":1000,"refillDay":15}},` +
	`"ratelimits":[{"name":"requests","limit":100,"duration":60000,"autoApply":true}]}`

func BenchmarkDecode_CreateKey(b *testing.B) {
	body := []byte(createBody)
	b.ReportAllocs()
	for b.Loop() {
		if _, problem := createKey.Decode(body); problem != nil {
			b.Fatal(problem)
		}
	}
}

func BenchmarkDecode_Violation(b *testing.B) {
	body := []byte(`{"key":"","credits":{"cost":-1}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, problem := verifyKey.Decode(body); problem == nil {
			b.Fatal("accepted")
		}
	}
}
