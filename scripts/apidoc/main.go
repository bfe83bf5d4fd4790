// Command apidoc writes the generated pages of docs. api.md comes from the descriptions that also give GET /openapi.json. sdk-methods.md
// comes from the endpoints and the lists in sdk, which scripts/sdk makes from the installed SDKs. metrics.md comes from the source.
//
//	go run ./scripts/apidoc > docs/api.md
//	go run ./scripts/apidoc methods > docs/sdk-methods.md
//	go run ./scripts/apidoc metrics > docs/metrics.md
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
	text, err := page(), error(nil)
	switch {
	case len(os.Args) < 2:
	case os.Args[1] == "methods":
		text = methodsPage()
	case os.Args[1] == "metrics":
		text, err = metricsPage(".")
	default:
		err = fmt.Errorf("apidoc: there is no page %q", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(text)
}

func page() string { return openapi.Page(intro, api.Describe(), api.ExampleVariables()) }
