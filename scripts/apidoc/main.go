// Command apidoc writes the generated pages of docs. api.md comes from the descriptions that also give GET /openapi.json. sdk-methods.md
// comes from the endpoints and the lists in sdk, which scripts/sdk makes from the installed SDKs.
//
//	go run ./scripts/apidoc > docs/api.md
//	go run ./scripts/apidoc methods > docs/sdk-methods.md
package main

import (
	_ "embed"
	"fmt"
	"os"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/openapi"
)

// intro precedes the endpoints. Its one block marked sh creates the objects of the examples, and scripts/sdk runs it before each of
// the others.
//
//go:embed intro.md
var intro string

func main() {
	if len(os.Args) > 1 && os.Args[1] == "methods" {
		fmt.Print(methodsPage())
		return
	}
	fmt.Print(page())
}

func page() string { return openapi.Page(intro, api.Describe(), api.ExampleVariables()) }
