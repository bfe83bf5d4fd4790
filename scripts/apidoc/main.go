// Command apidoc writes docs/api.md from what GET /openapi.json is made of.
//
//	go run ./scripts/apidoc > docs/api.md
package main

import (
	_ "embed"
	"fmt"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/openapi"
)

// head is what the page says before the endpoints. Its one block marked sh makes what the examples
// name, and scripts/sdk runs it before each of the others.
//
//go:embed head.md
var head string

func main() { fmt.Print(page()) }

func page() string { return openapi.Page(head, api.Describe(), api.ExampleVariables()) }
