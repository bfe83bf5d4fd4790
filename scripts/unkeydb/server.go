package unkeydb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/creditd/creditd/scripts/launch"
)

// programs are what a server needs, of Debian's package mariadb-server.
var programs = []string{"mariadb-install-db", "mariadbd"}

// Installed returns an error that says what is missing.
func Installed() error {
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%w (Debian's package mariadb-server has it)", err)
		}
	}
	return nil
}

// Server is a MariaDB server with a data directory and temporary directory of its own.
type Server struct {
	addr    string
	process *launch.Process
}

// grace is how long a server may take to end.
const grace = 30 * time.Second

// Start makes a server below dir, which must be empty, and waits until it answers. Its time zone is far from UTC. The user that
// administers it is root without a password, on loopback only.
func Start(ctx context.Context, dir string) (*Server, error) {
	addrs, err := launch.FreeAddrs(1)
	if err != nil {
		return nil, err
	}
	data, temporary := filepath.Join(dir, "data"), filepath.Join(dir, "tmp")
	if err := errors.Join(os.MkdirAll(data, 0o755), os.MkdirAll(temporary, 0o755)); err != nil {
		return nil, err
	}
	s := &Server{addr: addrs[0]}
	install := exec.CommandContext(ctx, programs[0], "--no-defaults", "--datadir="+data, "--tmpdir="+temporary, "--skip-test-db",
		"--auth-root-authentication-method=normal")
	install.Args = append(install.Args, asRoot()...)
	install.Env = append(os.Environ(), "TMPDIR="+temporary)
	if out, err := install.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", programs[0], err, out)
	}
	_, port, _ := net.SplitHostPort(s.addr)
	s.process, err = launch.StartLogged(filepath.Join(dir, "mariadb.log"), launch.Command{
		Binary: programs[1],
		Args: append([]string{
			"--no-defaults", "--datadir=" + data, "--tmpdir=" + temporary, "--socket=" + filepath.Join(temporary, "s"),
			"--bind-address=127.0.0.1", "--port=" + port, "--default-time-zone=+05:30", "--skip-name-resolve",
			"--innodb-flush-log-at-trx-commit=0", "--innodb-fast-shutdown=2", "--performance-schema=OFF", "--innodb-buffer-pool-size=256M", "--character-set-server=utf8mb4",
		}, asRoot()...),
		Env: []string{"TMPDIR=" + temporary},
	})
	if err != nil {
		return nil, err
	}
	if err := s.await(ctx); err != nil {
		s.process.Kill()
		return nil, err
	}
	return s, nil
}

// asRoot is what the programs want from root.
func asRoot() []string {
	if os.Geteuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}

func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	db, err := s.connect("")
	if err != nil {
		return err
	}
	defer db.Close()
	return launch.Await(ctx, "MariaDB", func(ctx context.Context) error {
		if !s.process.Running() {
			return fmt.Errorf("the server ended with %v", s.process.State())
		}
		return db.PingContext(ctx)
	})
}

// Stop ends the server.
func (s *Server) Stop() error { return s.process.Stop(grace) }

// DSN names a database of the server for a user.
func (s *Server) DSN(user, password, database string) string {
	conf := mysql.NewConfig()
	conf.Net, conf.Addr, conf.User, conf.Passwd, conf.DBName = "tcp", s.addr, user, password, database
	return conf.FormatDSN()
}

// connect opens a database as the administrator. All its sessions write what MySQL would take in a lenient mode, such as a date of zeros.
func (s *Server) connect(database string) (*sql.DB, error) {
	conf := mysql.NewConfig()
	conf.Net, conf.Addr, conf.User, conf.DBName = "tcp", s.addr, "root", database
	conf.Params = map[string]string{"sql_mode": "''", "foreign_key_checks": "0"}
	conf.MultiStatements, conf.InterpolateParams, conf.Logger = true, true, &mysql.NopLogger{}
	connector, err := mysql.NewConnector(conf)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// Shell is a command that reads SQL from its input and changes a database as the administrator.
func (s *Server) Shell(database string) string {
	host, port, _ := net.SplitHostPort(s.addr)
	return "mariadb --no-defaults --protocol=tcp --host=" + host + " --port=" + port + " --user=root " + database
}
