package launch

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ownerOf returns the name of the process at the far end of a TCP connection on this machine. names maps process ids to names. The kernel
// lists the socket with its inode, and each process its open files.
func ownerOf(conn net.Conn, names map[int]string) (name string, known bool) {
	remote, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil || !remote.Addr().Is4() {
		return "", false
	}
	inode, found := inodeOf(remote)
	if !found {
		return "", false
	}
	for pid, name := range names {
		files, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/fd/*")
		if err != nil {
			return "", false
		}
		for _, file := range files {
			if target, err := os.Readlink(file); err == nil && target == "socket:["+inode+"]" {
				return name, true
			}
		}
	}
	return "", false
}

// inodeOf looks a local address up in the kernel's table, which writes addresses as native words in hexadecimal.
func inodeOf(local netip.AddrPort) (inode string, found bool) {
	file, err := os.Open("/proc/net/tcp")
	if err != nil {
		return "", false
	}
	defer file.Close() // it was only read
	octets := local.Addr().As4()
	want := fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(octets[:]), local.Port())
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 9 && fields[1] == want {
			return fields[9], true
		}
	}
	return "", false
}
