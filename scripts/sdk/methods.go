package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// sdkModule is the Go SDK.
const sdkModule = "github.com/unkeyed/sdks/api/go/v2"

// lists are the files from which scripts/apidoc makes docs/sdk-methods.md.
const lists = "scripts/apidoc/sdk"

// requested is the path of a method in the source of either SDK.
var requested = regexp.MustCompile(`"/v2/([a-zA-Z]+\.[a-zA-Z]+)"`)

// checkMethods compares the lists with the installed SDKs. With write it writes them anew.
func checkMethods(ctx context.Context, write bool) error {
	module := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", sdkModule)
	module.Dir, module.Stderr = filepath.Join(home, "go"), os.Stderr
	dir, err := module.Output()
	if err != nil {
		return fmt.Errorf("find the Go SDK: %w", err)
	}
	for list, sources := range map[string]string{
		"go.txt":         filepath.Join(strings.TrimSpace(string(dir)), "*.go"),
		"typescript.txt": filepath.Join(home, "node/node_modules/@unkey/api/src/funcs/*.ts"),
	} {
		found, err := methodsIn(sources)
		if err != nil {
			return err
		}
		file := filepath.Join(lists, list)
		if write {
			if err := os.WriteFile(file, []byte(found), 0o644); err != nil {
				return err
			}
			continue
		}
		have, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if string(have) != found {
			return fmt.Errorf("%s differs from the installed SDK: go run ./scripts/sdk methods, then make fix", file)
		}
	}
	return nil
}

// methodsIn returns the methods that source files request, one on each line.
func methodsIn(sources string) (string, error) {
	files, err := filepath.Glob(sources)
	if err != nil {
		return "", err
	}
	methods := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		for _, path := range requested.FindAllSubmatch(text, -1) {
			methods[string(path[1])] = true
		}
	}
	if len(methods) == 0 {
		return "", fmt.Errorf("no method in %s", sources)
	}
	return strings.Join(slices.Sorted(maps.Keys(methods)), "\n") + "\n", nil
}
