package main

import (
	"log/slog"

	"github.com/coreos/go-systemd/v22/daemon"
)

// The messages of a service of Type=notify. systemd starts what comes after the service once it has the first. That is when HTTP is served,
// not when the cluster has a leader: the first node of three would wait for units that come after it.
const (
	serviceUp       = daemon.SdNotifyReady + "\nSTATUS=waiting for the cluster"
	serviceReady    = "STATUS=ready"
	serviceStopping = daemon.SdNotifyStopping + "\nSTATUS=stopping"
)

// tellSystemd sends a message if systemd started the process and wants to know.
func tellSystemd(message string, log *slog.Logger) {
	if _, err := daemon.SdNotify(false, message); err != nil {
		log.Warn("systemd could not be told", "message", message, "err", err)
	}
}
