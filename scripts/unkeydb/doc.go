// Package unkeydb starts a MariaDB server of its own and fills it with a made-up database of Unkey. The suites and tests of the migration read
// it: make migrate, and the tests of cmd/creditd. It says of each row what must become of it, and shares no code with the migration.
package unkeydb
