package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// redisPeer is a Redis of our own, with an append-only file that is synced before
// every answer. It keeps the document and, in a sorted set for each test, every
// student's highest marks: no shares, no mean, no deviation, only order.
type redisPeer struct {
	process *exec.Cmd
	socket  string
	version string
}

func startRedis(ctx context.Context, b *bencher) (_ peer, err error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, fmt.Errorf("redis-server: %w", errNoPeer)
	}
	dir, err := os.MkdirTemp(b.work, "redis-")
	if err != nil {
		return nil, err
	}
	p := &redisPeer{socket: filepath.Join(dir, "socket")}
	p.process = exec.Command(program, "--port", "0", "--unixsocket", p.socket, "--dir", dir, "--save", "", //nolint:noctx // It is asked to end by stop.
		"--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning")
	var stderr bytes.Buffer
	p.process.Stderr = &stderr
	if err := p.process.Start(); err != nil {
		return nil, err
	}
	if err := waitFor(ctx, startWait, p.prepare); err != nil {
		return nil, errors.Join(fmt.Errorf("start: %w\n%s", err, &stderr), p.stop())
	}
	return p, nil
}

func (p *redisPeer) open() *redis.Client {
	return redis.NewClient(&redis.Options{Network: "unix", Addr: p.socket, PoolSize: 1, DisableIdentity: true})
}

func (p *redisPeer) prepare(ctx context.Context) error {
	c := p.open()
	info, err := c.InfoMap(ctx, "server").Result()
	if err == nil {
		p.version = info["Server"]["redis_version"]
	}
	return errors.Join(err, c.Close())
}

func (p *redisPeer) name() string { return "Redis " + p.version }

func (p *redisPeer) clear(ctx context.Context) error {
	c := p.open()
	return errors.Join(c.FlushAll(ctx).Err(), c.Close())
}

func (p *redisPeer) connect(context.Context) (peerConnection, error) {
	return &redisConnection{c: p.open()}, nil
}

func (p *redisPeer) stop() error { return stopProcess(p.process, syscall.SIGTERM) }

type redisConnection struct{ c *redis.Client }

func (c *redisConnection) keep(ctx context.Context, raw []byte, test string, marks []peerMark) error {
	members := make([]redis.Z, 0, len(marks))
	for _, m := range marks {
		members = append(members, redis.Z{Score: float64(m.obtained), Member: m.student})
	}
	_, err := c.c.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		tx.RPush(ctx, "documents", raw)
		tx.ZAddArgs(ctx, "test:"+test, redis.ZAddArgs{GT: true, Members: members})
		return nil
	})
	return err
}

// aggregate asks for the number of students and the scores at three ranks, which is
// as much of an aggregate as can be asked for.
func (c *redisConnection) aggregate(ctx context.Context, test string) (count int, err error) {
	key := "test:" + test
	n, err := c.c.ZCard(ctx, key).Result()
	if err != nil {
		return 0, err
	}
	_, err = c.c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, quarter := range []int64{1, 2, 3} {
			rank := (n - 1) * quarter / 4
			p.ZRangeArgsWithScores(ctx, redis.ZRangeArgs{Key: key, Start: strconv.FormatInt(rank, 10), Stop: strconv.FormatInt(rank+1, 10)})
		}
		return nil
	})
	return int(n), err
}

func (c *redisConnection) close(context.Context) error { return c.c.Close() }
