package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgres is a PostgreSQL of our own: own data directory, a socket in it and no
// port, everything synced.
type postgres struct {
	process *exec.Cmd
	stderr  *bytes.Buffer
	dir     string
	version string
}

const postgresSchema = `
CREATE TABLE documents (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, received timestamptz NOT NULL DEFAULT now(), raw bytea NOT NULL);
CREATE TABLE marks (
	test text NOT NULL, student text NOT NULL, obtained int NOT NULL, available int NOT NULL,
	PRIMARY KEY (test, student));
ALTER TABLE documents ALTER COLUMN raw SET COMPRESSION lz4;`

const (
	postgresKeep   = `INSERT INTO documents (raw) VALUES ($1)`
	postgresUpsert = `INSERT INTO marks (test, student, obtained, available)
	SELECT $1, * FROM unnest($2::text[], $3::int[], $4::int[])
	ON CONFLICT (test, student) DO UPDATE SET
		obtained = greatest(marks.obtained, excluded.obtained), available = greatest(marks.available, excluded.available)`
	postgresAggregate = `SELECT count(*), avg(p), stddev_pop(p), min(p), max(p),
		percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY p)
	FROM (SELECT 100.0::float8 * obtained / max(available) OVER () AS p FROM marks WHERE test = $1) AS of_test`
)

// postgresPrograms is where initdb and postgres are: Debian keeps them out of PATH.
func postgresPrograms() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("initdb: %w", errNoPeer)
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1]), nil
}

// asSomebody is who PostgreSQL runs as, because it refuses to run as root.
func asSomebody(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // Nothing has to be set.
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr, os.Chown(dir, int(uid), int(gid))); err != nil {
			return nil, err
		}
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, errors.New("no user that it could run as")
}

func startPostgres(ctx context.Context, b *bencher) (_ peer, err error) {
	programs, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	// The other user has to get through to its directory.
	if err := os.Chmod(b.work, 0o711); err != nil {
		return nil, err
	}
	p := &postgres{stderr: new(bytes.Buffer)}
	if p.dir, err = os.MkdirTemp(b.work, "postgres-"); err != nil {
		return nil, err
	}
	somebody, err := asSomebody(p.dir)
	if err != nil {
		return nil, err
	}
	initialise := exec.CommandContext(ctx, filepath.Join(programs, "initdb"), "-D", p.dir, "-A", "trust", "-U", "markr", "-E", "UTF8", "--no-locale")
	initialise.SysProcAttr, initialise.Dir = somebody, p.dir
	if out, err := initialise.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	args := []string{"-D", p.dir, "-k", p.dir}
	for _, setting := range []string{
		"listen_addresses=", "fsync=on", "synchronous_commit=on", "shared_buffers=1GB", "max_wal_size=8GB",
		"checkpoint_timeout=30min", "wal_compression=lz4", "max_connections=100", "work_mem=64MB",
	} {
		args = append(args, "-c", setting)
	}
	p.process = exec.Command(filepath.Join(programs, "postgres"), args...) //nolint:noctx // It is asked to end by stop.
	p.process.SysProcAttr, p.process.Dir, p.process.Stderr = somebody, p.dir, p.stderr
	if err := p.process.Start(); err != nil {
		return nil, err
	}
	if err := waitFor(ctx, startWait, p.prepare); err != nil {
		return nil, errors.Join(fmt.Errorf("start: %w\n%s", err, p.stderr), p.stop())
	}
	return p, nil
}

func (p *postgres) open(ctx context.Context) (*pgx.Conn, error) {
	return pgx.Connect(ctx, "host="+p.dir+" user=markr dbname=postgres")
}

func (p *postgres) prepare(ctx context.Context) error {
	c, err := p.open(ctx)
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, postgresSchema)
	if err == nil {
		err = c.QueryRow(ctx, "SHOW server_version").Scan(&p.version)
	}
	return errors.Join(err, c.Close(ctx))
}

func (p *postgres) name() string {
	version, _, _ := strings.Cut(p.version, " ")
	return "PostgreSQL " + version
}

func (p *postgres) clear(ctx context.Context) error {
	c, err := p.open(ctx)
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, "TRUNCATE documents, marks")
	if err == nil {
		_, err = c.Exec(ctx, "CHECKPOINT")
	}
	return errors.Join(err, c.Close(ctx))
}

func (p *postgres) connect(ctx context.Context) (peerConnection, error) {
	c, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	return &postgresConnection{c: c}, nil
}

// stop has it shut down at once, cleanly.
func (p *postgres) stop() error { return stopProcess(p.process, syscall.SIGINT) }

type postgresConnection struct {
	c                   *pgx.Conn
	students            []string
	obtained, available []int32
}

func (c *postgresConnection) keep(ctx context.Context, raw []byte, test string, marks []peerMark) error {
	c.students, c.obtained, c.available = c.students[:0], c.obtained[:0], c.available[:0]
	// In one order, so that transactions do not wait for each other in a circle.
	slices.SortFunc(marks, func(a, b peerMark) int { return strings.Compare(a.student, b.student) })
	for _, m := range marks {
		c.students = append(c.students, m.student)
		c.obtained = append(c.obtained, int32(m.obtained))
		c.available = append(c.available, int32(m.available))
	}
	// A batch is one transaction and one round trip.
	batch := &pgx.Batch{}
	batch.Queue(postgresKeep, raw)
	batch.Queue(postgresUpsert, test, c.students, c.obtained, c.available)
	return c.c.SendBatch(ctx, batch).Close()
}

func (c *postgresConnection) aggregate(ctx context.Context, test string) (count int, err error) {
	var figures [4]float64
	var percentiles []float64
	err = c.c.QueryRow(ctx, postgresAggregate, test).
		Scan(&count, &figures[0], &figures[1], &figures[2], &figures[3], &percentiles)
	return count, err
}

func (c *postgresConnection) close(ctx context.Context) error { return c.c.Close(ctx) }

// stopProcess asks a process to end and waits, and ends it if it does not.
func stopProcess(command *exec.Cmd, with syscall.Signal) error {
	if err := command.Process.Signal(with); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	kill := time.AfterFunc(stopWait, func() {
		_ = command.Process.Kill() // It has ended, or it cannot be ended.
	})
	defer kill.Stop()
	return command.Wait()
}
