// Command notice writes NOTICE: the modules that are linked into creditd, and their licences.
//
//	go run ./scripts/notice > NOTICE
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const intro = `creditd
Copyright the creditd authors

creditd is licensed under the Apache License, Version 2.0; see LICENSE. The binary contains the Go standard library and the modules below.
Each licence stands after the modules that it is for. The source of a module is its version in the Go module proxy.
`

// tags are the build tags of make build.
const tags = "nomsgpack"

// module is what go list says of a module.
type module struct {
	Path, Version, Dir string
	Main               bool
	Replace            *module
}

func main() {
	text, err := notice()
	if err == nil {
		_, err = fmt.Print(text)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "notice:", err)
		os.Exit(1)
	}
}

// notice is the file for the released platform. Modules with the same licence stand together, each with its own notices.
func notice() (string, error) {
	modules, err := linked()
	if err != nil {
		return "", err
	}
	var texts []string
	users := make(map[string]string) // by the words of the licence
	for _, m := range modules {
		text, own, err := licence(m, modules)
		if err != nil {
			return "", err
		}
		if users[words(text)] == "" {
			texts = append(texts, text)
		}
		users[words(text)] += strings.TrimSpace(m.Path+" "+m.Version) + "\n" + own
	}
	var b strings.Builder
	b.WriteString(intro)
	for _, text := range texts {
		fmt.Fprintf(&b, "\n%s\n%s\n%s\n", strings.Repeat("-", 80), users[words(text)], text)
	}
	return b.String(), nil
}

// words is a text without its white space: many modules indent the same licence differently.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// linked returns the modules of the binary in the order of their paths, after the standard library.
func linked() ([]module, error) {
	list := exec.Command("go", "list", "-deps", "-tags", tags, "-json=Module", "github.com/creditd/creditd/cmd/creditd")
	list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("list the modules: %w", err)
	}
	found := make(map[string]module)
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct{ Module *module }
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the modules: %w", err)
		}
		if p.Module != nil && !p.Module.Main {
			found[p.Module.Path] = *p.Module
		}
	}
	modules := make([]module, 0, len(found)+1)
	for _, m := range found {
		if m.Replace != nil {
			m.Version, m.Dir = m.Replace.Version, m.Replace.Dir
		}
		modules = append(modules, m)
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("find the standard library: %w", err)
	}
	return slices.Insert(modules, 0, module{Path: "Go standard library", Dir: strings.TrimSpace(string(root))}), nil
}

var (
	licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying)(\.(txt|md))?$`)
	noticeFile  = regexp.MustCompile(`(?i)^notice(\.(txt|md))?$`)
)

// licence returns the licence of a module and its notices. A module inside the repository of another one may have that one's.
func licence(m module, modules []module) (text, notices string, err error) {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return "", "", fmt.Errorf("module %s: %w", m.Path, err)
	}
	for _, e := range entries {
		isLicence, isNotice := licenceFile.MatchString(e.Name()), noticeFile.MatchString(e.Name())
		if !isLicence && !isNotice {
			continue
		}
		read, err := os.ReadFile(filepath.Join(m.Dir, e.Name()))
		if err != nil {
			return "", "", fmt.Errorf("module %s: %w", m.Path, err)
		}
		if isLicence {
			text += tidy(string(read), "")
		} else {
			notices += tidy(string(read), "    ")
		}
	}
	if text != "" {
		return text, notices, nil
	}
	for _, outer := range modules {
		if strings.HasPrefix(m.Path, outer.Path+"/") {
			return licence(outer, modules)
		}
	}
	return "", "", fmt.Errorf("module %s: no licence in %s", m.Path, m.Dir)
}

// tidy drops white space at the ends of lines, and empty lines at the ends of the text.
func tidy(text, indent string) string {
	lines := strings.Split(strings.Trim(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(indent+lines[i], " \t\f")
	}
	return strings.Join(lines, "\n") + "\n"
}
