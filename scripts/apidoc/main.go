// Command apidoc writes docs/api.md from the descriptions that also give GET /openapi.json.
//
//	go run ./scripts/apidoc > docs/api.md
package main

import (
	_ "embed"
	"fmt"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/openapi"
)

// intro precedes the endpoints. Its one block marked sh creates the objects of the examples, and scripts/sdk runs it before each of
// the others.
//
//go:embed intro.md
var intro string

func main() { fmt.Print(page()) }

func page() string { return openapi.Page(intro, api.Describe(), api.ExampleVariables()) }
