package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/creditd/creditd/fsm"
)

// refusePermission says why a permission string grants nothing, and which one may be meant.
func refusePermission(granted string) error {
	if granted == "*" {
		return errors.New("grants nothing, because * stands for an id only; --admin grants everything")
	}
	return fmt.Errorf("grants nothing; the nearest permission is %s. --allow-unknown stores it anyway", nearestPermission(granted))
}

// nearestPermission returns the permission string that takes the fewest changes. It keeps the id of a resource where it can.
func nearestPermission(granted string) (nearest string) {
	id, withoutID := "*", granted
	if parts := strings.Split(granted, "."); len(parts) == 3 && parts[1] != "" {
		id, withoutID = parts[1], parts[0]+".*."+parts[2]
	}
	least := -1
	for _, known := range fsm.AllPermissions() {
		action := known[strings.LastIndex(known, ".")+1:]
		changes := min(distance(withoutID, known), distance(granted, action)+1) // an action alone means the permission that ends with it
		if least < 0 || changes < least {
			nearest, least = known, changes
		}
	}
	if one := fsm.RootPermission(nearest).For(id); fsm.KnownPermission(one) {
		return one
	}
	return nearest
}

// distance is the number of bytes to insert, delete or replace that makes b of a (Levenshtein). Letter case and the kind of dash
// do not count.
func distance(a, b string) int {
	plain := strings.NewReplacer("-", "_")
	a, b = plain.Replace(strings.ToLower(a)), plain.Replace(strings.ToLower(b))
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
