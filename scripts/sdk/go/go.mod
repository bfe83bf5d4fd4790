module github.com/creditd/creditd/scripts/sdk/go

go 1.26.8

require (
	github.com/stretchr/testify v1.11.1
	github.com/unkeyed/sdks/api/go/v2 v2.6.1
)

require (
	github.com/davecgh/go-spew v1.1.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	github.com/spyzhov/ajson v0.8.0 // indirect
	gopkg.in/yaml.v3 v3.0.1 // indirect
)
