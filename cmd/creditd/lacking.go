package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/fsm"
)

// lacking is the error of a command whose root key lacks a permission. Without it creditd answers as if a key did not exist, which looks like
// another decision.
type lacking struct{ error }

// ownRootKey is the endpoint that shows the root key of a request.
const ownRootKey = "rootKeys.getRootKey"

// holds returns an error if a root key has a permission for no API. It warns where the root key has it for some APIs only.
func (r *rootKeyShown) holds(p fsm.RootPermission, stderr io.Writer) error {
	if slices.Contains(r.Permissions, string(p)) {
		return nil
	}
	var some []string
	for _, held := range r.Permissions {
		if strings.HasPrefix(held, "api.") && strings.HasSuffix(held, strings.TrimPrefix(string(p), "api.*")) {
			some = append(some, held)
		}
	}
	if len(some) == 0 {
		return &lacking{fmt.Errorf("the root key %s lacks %s: to it creditd answers as if no key existed", r.KeyID, p)}
	}
	fmt.Fprintf(stderr, "the root key %s sees the keys of some APIs only (%s): to it creditd answers as if no others existed\n", r.KeyID, strings.Join(some, " "))
	return nil
}

// hidden explains why a key was not found: it adds to that error that the root key lacks the permission, if so.
func (o *operator) hidden(p fsm.RootPermission, stderr io.Writer, found error) error {
	var own rootKeyShown
	if answer, _ := o.reach(context.Background(), ownRootKey, struct{}{}, &own); answer.Err != nil {
		return found // a node of an earlier build, or none any more
	}
	return errors.Join(found, own.holds(p, stderr))
}

// notFound reports whether an error is a 404.
func notFound(err error) bool {
	var refused *client.Error
	return errors.As(err, &refused) && refused.Status == http.StatusNotFound
}
