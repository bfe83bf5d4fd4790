package main

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// parseAddress checks HOST:PORT. The host may be empty, which means every
// interface.
func parseAddress(raw string) (string, error) {
	host, port, err := net.SplitHostPort(raw)
	if err != nil {
		return "", errors.New("not HOST:PORT, for example 10.0.0.5:7070 or [::1]:7070")
	}
	if number, err := strconv.Atoi(port); err != nil || number < 0 || number > 65535 {
		return "", errors.New("the port is not a number from 0 to 65535")
	}
	if strings.Contains(host, ":") {
		if _, err := netip.ParseAddr(host); err != nil {
			return "", errors.New("the part in brackets is not an IPv6 address")
		}
	} else if strings.ContainsAny(host, "/@?# \t,") {
		return "", errors.New("the host is neither a name nor an IP address; write HOST:PORT without a scheme or path")
	}
	return raw, nil
}

// parseTarget checks an address that other nodes connect to: it must name a
// host they can reach and a port.
func parseTarget(raw string) (string, error) {
	if _, err := parseAddress(raw); err != nil {
		return "", err
	}
	switch host, port, _ := net.SplitHostPort(raw); {
	case isEveryInterface(host):
		return "", errors.New("other nodes cannot connect to that host; name an address they can reach")
	case port == "0":
		return "", errors.New("other nodes cannot connect to port 0")
	}
	return raw, nil
}

// parseHTTPTarget is parseTarget for an address that may begin with its scheme.
func parseHTTPTarget(raw string) (string, error) {
	address := raw
	for _, scheme := range schemes {
		address = strings.TrimPrefix(address, scheme)
	}
	_, err := parseTarget(address)
	return raw, err
}

var schemes = []string{"http://", "https://"}

func hasScheme(address string) bool {
	return slices.ContainsFunc(schemes, func(scheme string) bool { return strings.HasPrefix(address, scheme) })
}

// isEveryInterface reports whether listening on host means listening everywhere.
func isEveryInterface(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "" || err == nil && addr.Unmap().IsUnspecified()
}

// reachable returns the address to show for a port that listens: its own, or the advertised one where it listens on every interface.
func reachable(listens, advertised string) string {
	if host, _, _ := net.SplitHostPort(listens); isEveryInterface(host) && advertised != "" {
		return advertised
	}
	return listens
}

// isLoopback reports whether only this machine can reach the address. A name
// other than localhost is not looked up: it may mean something else tomorrow.
func isLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// withHostOf returns the host of one address with the port of another.
func withHostOf(host, port string) string {
	h, _, _ := net.SplitHostPort(host)
	_, p, _ := net.SplitHostPort(port)
	return net.JoinHostPort(h, p)
}

// withPortOf replaces port 0, which asks for any, by the port that was got.
func withPortOf(address, got string) string {
	if _, port, err := net.SplitHostPort(address); err != nil || port != "0" {
		return address
	}
	return withHostOf(address, got)
}
