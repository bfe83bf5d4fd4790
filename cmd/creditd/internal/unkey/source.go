package unkey

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Source is a database that is read. It may be used by one goroutine at a time.
type Source struct {
	db        *sql.DB
	name      string
	workspace string
	tables    layout
	days      refillDays
	opened    time.Time                  // when days was read, by the clock of this machine
	limits    map[string]int             // rows of a page, by table, where the rows are large
	missing   map[string]map[string]bool // ids that could not be taken over, by table; see Missing
}

// layout says which columns exist: they come and go between releases of Unkey.
type layout struct {
	columns map[string]map[string]bool // by table
	forms   map[string]map[string]form // of texts
	primary map[string][]string        // the columns of each primary key, in order
}

// form is how a column keeps texts; empty: it keeps none.
type form struct{ charset, collation string }

// Limits of a read. A server that is gone must not hold the migration up for ever.
const (
	dialTimeout = 10 * time.Second
	readTimeout = 5 * time.Minute
)

// ParseDSN reads a data source name of the driver, such as user:password@tcp(db.example:3306)/unkey, and sets what the reader relies on.
// The error never shows the text, which holds a password.
func ParseDSN(text string) (*mysql.Config, error) {
	conf, err := mysql.ParseDSN(text)
	if err != nil {
		return nil, errors.New("not a data source name like user:password@tcp(db.example:3306)/unkey")
	}
	if conf.DBName == "" {
		return nil, errors.New("it names no database; that stands after the slash: user:password@tcp(db.example:3306)/unkey")
	}
	// A datetime has no time zone and is UTC by Unkey's convention: as text nothing can convert it.
	conf.ParseTime, conf.MultiStatements, conf.AllowAllFiles = false, false, false
	conf.InterpolateParams = true // one exchange for each statement, and no statements to prepare on a proxy
	conf.Timeout, conf.ReadTimeout, conf.Logger = dialTimeout, readTimeout, &mysql.NopLogger{}
	return conf, nil
}

// Open connects and looks at what is there. Without a workspace it reads the only one of the database, or the one of likely, if that is there.
func Open(ctx context.Context, conf *mysql.Config, workspace, likely string) (*Source, error) {
	connector, err := mysql.NewConnector(conf)
	if err != nil {
		return nil, err
	}
	s := &Source{db: sql.OpenDB(connector), name: conf.Addr + "/" + conf.DBName, limits: map[string]int{}, missing: map[string]map[string]bool{}}
	s.db.SetMaxOpenConns(connections)
	err = s.db.PingContext(ctx) // once: where nobody has ever answered, the name is wrong
	if err == nil {
		err = s.readLayout(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the database %s at %s: %w", conf.DBName, conf.Addr, err), s.db.Close())
	}
	for _, table := range []string{"workspaces", "apis", "key_auth", "keys"} {
		if s.tables.columns[table] == nil {
			return nil, errors.Join(fmt.Errorf("the database %s has no table %s, or its user may not read it: is it Unkey's?", conf.DBName, table), s.db.Close())
		}
	}
	if s.workspace, err = s.findWorkspace(ctx, workspace, likely); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	if err := s.readRefillDays(ctx); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

// Close ends the connection.
func (s *Source) Close() error { return s.db.Close() }

// Workspace is the id of the workspace that is read.
func (s *Source) Workspace() string { return s.workspace }

// Name names the database, without user and password.
func (s *Source) Name() string { return s.name }

func (s *Source) readLayout(ctx context.Context) error {
	s.tables = layout{columns: map[string]map[string]bool{}, forms: map[string]map[string]form{}, primary: map[string][]string{}}
	err := s.each(ctx, "SELECT table_name, column_name, character_set_name, collation_name FROM information_schema.columns WHERE table_schema = DATABASE()", nil,
		func(r row) {
			table, column := r.at(0), r.at(1)
			if s.tables.columns[table] == nil {
				s.tables.columns[table], s.tables.forms[table] = map[string]bool{}, map[string]form{}
			}
			s.tables.columns[table][column], s.tables.forms[table][column] = true, form{r.at(2), r.at(3)}
		})
	if err != nil {
		return err
	}
	return s.each(ctx, "SELECT table_name, column_name FROM information_schema.statistics WHERE table_schema = DATABASE() AND index_name = 'PRIMARY' "+
		"ORDER BY table_name, seq_in_index", nil, func(r row) {
		s.tables.primary[r.at(0)] = append(s.tables.primary[r.at(0)], r.at(1))
	})
}

// has reports whether a table has a column.
func (s *Source) has(table, column string) bool { return s.tables.columns[table][column] }

// findWorkspace returns the workspace of that id, or the only one.
func (s *Source) findWorkspace(ctx context.Context, wanted, likely string) (string, error) {
	var found []string
	err := s.each(ctx, "SELECT id FROM workspaces ORDER BY id LIMIT 1000", nil, func(r row) { found = append(found, r.at(0)) })
	switch {
	case err != nil:
		return "", err
	case wanted == "" && likely != "" && slices.Contains(found, likely):
		return likely, nil
	case wanted == "" && len(found) == 1:
		return found[0], nil
	case wanted == "":
		return "", fmt.Errorf("the database has %d workspaces; name one with --source-workspace: %s", len(found), strings.Join(found[:min(len(found), 20)], " "))
	case len(found) < 1000 && !slices.Contains(found, wanted):
		return "", fmt.Errorf("the database has no workspace %s; it has %s", wanted, strings.Join(found[:min(len(found), 20)], " "))
	}
	return wanted, nil
}

// each runs a statement outside a page. Rows are visited once, also where the connection is lost.
func (s *Source) each(ctx context.Context, statement string, values []any, visit func(row)) error {
	var rows []row
	err := s.repeat(ctx, func() (bool, error) {
		rows = nil
		return false, query(ctx, s.db, statement, values, func(r row) bool { rows = append(rows, r); return true })
	})
	if err != nil {
		return err
	}
	for _, r := range rows {
		visit(r)
	}
	return nil
}

// repeat tries a read again when the connection was lost: a read has no effect. It is more patient with one that makes progress.
func (s *Source) repeat(ctx context.Context, read func() (progress bool, err error)) error {
	const soon = 100 * time.Millisecond
	for wait := soon; ; wait *= 2 {
		progress, err := read()
		if progress {
			wait = soon
		}
		if err == nil || !lostConnection(err) || wait > 30*time.Second {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// lostConnection reports whether an error says that the server went away, ended the session or the transaction.
func lostConnection(err error) bool {
	var network net.Error
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || errors.As(err, &network) {
		return true
	}
	var refused *mysql.MySQLError
	// 1053 shutdown, 1205 lock wait, 1213 deadlock, 1317 interrupted, 1927 killed, 2006 and 2013 lost
	return errors.As(err, &refused) && slices.Contains([]uint16{1053, 1205, 1213, 1317, 1927, 2006, 2013}, refused.Number)
}
