package schema_test

import (
	"fmt"

	"github.com/creditd/creditd/api/schema"
)

func ExampleSchema_Decode() {
	type request struct {
		KeyID string                  `json:"keyId" schema:"required,minLength=3"`
		Name  schema.Nullable[string] `json:"name" schema:"maxLength=255"`
		Limit int64                   `json:"limit" schema:"minimum=1,maximum=100,default=100"`
	}
	endpoint := schema.MustCompile[request]("keys.example")

	req, _ := endpoint.Decode([]byte(`{"keyId":"key_1","name":null}`))
	fmt.Println(req.KeyID, req.Name.Null(), req.Limit)

	_, problem := endpoint.Decode([]byte(`{"keyId":"k","limit":0}`))
	fmt.Println(problem.Detail("/v2/keys.example"))
	for _, v := range problem.Errors {
		fmt.Println(v.Location, v.Message)
	}
	// Output:
	// key_1 true 100
	// POST request body for '/v2/keys.example' failed to validate schema
	// /properties/keyId/minLength minLength: got 1, want 3
	// /properties/limit/minimum minimum: got 0, want 1
}
