package main

import (
	"fmt"

	"github.com/creditd/creditd/api/records"
)

var _ = register(registration{group: "migrate", use: "finish", short: "forget what the source had",
	long: `Ends a migration: the cluster forgets which balances the source had. Until then a later pass moves
balances by their difference. Afterwards it is refused. The root key needs import.*.write.`,
	make: func() command { return &migrateFinish{} }})

type migrateFinish struct{ operator }

func (m *migrateFinish) run(in invocation) error {
	ended := int64(0)
	for {
		var answer records.FinishAnswer
		if err := m.call("records.finishImport", struct{}{}, &answer); err != nil {
			return err
		}
		if ended += answer.Ended; !answer.More {
			_, err := fmt.Fprintf(in.stdout, "ended  %d balances are no longer followed\n", ended)
			return err
		}
	}
}
