package load

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// Target is the server under load.
type Target struct {
	// Address is where to connect: an IP address and a port.
	Address netip.AddrPort
	// Host is what to call the server in the requests.
	Host string
	// Token is sent as a bearer token with every request, unless it is empty.
	Token string
}

// ParseTarget reads a server's URL, such as http://127.0.0.1:4567. It refuses a
// server on another machine, with [ErrNotLoopback], because a load is an attack on
// whoever did not expect it.
func ParseTarget(ctx context.Context, server string) (Target, error) {
	t, err := ParseRemoteTarget(ctx, server)
	if err == nil && !t.Address.Addr().IsLoopback() {
		return Target{}, fmt.Errorf("target %q is %s: %w", server, t.Address.Addr(), ErrNotLoopback)
	}
	return t, err
}

// ParseRemoteTarget is [ParseTarget] for any machine.
func ParseRemoteTarget(ctx context.Context, server string) (Target, error) {
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	u, err := url.Parse(server)
	if err != nil {
		return Target{}, fmt.Errorf("target: %w: %w", ErrTarget, err)
	}
	if u.Scheme != "http" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return Target{}, fmt.Errorf("target %q: %w, such as http://127.0.0.1:4567", server, ErrTarget)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	addresses, err := new(net.Resolver).LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return Target{}, fmt.Errorf("look up %q: %w", u.Hostname(), err)
	}
	address, err := netip.ParseAddrPort(net.JoinHostPort(addresses[0].Unmap().String(), port))
	if err != nil {
		return Target{}, fmt.Errorf("target %q: %w: %w", server, ErrTarget, err)
	}
	return Target{Address: address, Host: u.Host}, nil
}

// appendHead appends the head of a request but for the empty line that ends it.
func (t Target) appendHead(dst []byte, method, path string) []byte {
	dst = append(dst, method...)
	dst = append(dst, ' ')
	dst = append(dst, path...)
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = append(dst, t.Host...)
	dst = append(dst, "\r\n"...)
	if t.Token != "" {
		dst = append(dst, "Authorization: Bearer "...)
		dst = append(dst, t.Token...)
		dst = append(dst, "\r\n"...)
	}
	return dst
}
