package deploy

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestUnit_NeedsNobodyAtNight: systemd gives a unit up that fails five times in ten seconds, unless it is told not to. A node is given the time
// to drain, and little of the machine.
func TestUnit_NeedsNobodyAtNight(t *testing.T) {
	const file = "deb/creditd.service"
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	settings := map[string]string{}
	for _, match := range regexp.MustCompile(`(?m)^(\w+)=(.*)$`).FindAllStringSubmatch(string(text), -1) {
		settings[match[1]] = match[2]
	}
	require.Equal(t, "on-failure", settings["Restart"])
	require.Equal(t, "0", settings["StartLimitIntervalSec"])
	require.Equal(t, "4", settings["RestartPreventExitStatus"], "a node that was removed would write 10 MB of log a day")
	require.Equal(t, "notify", settings["Type"])
	rest, err := time.ParseDuration(settings["RestartSec"])
	require.NoError(t, err)
	require.GreaterOrEqual(t, rest, 3*time.Second, "a node that cannot start must not be busy with it")
	stop, err := time.ParseDuration(settings["TimeoutStopSec"])
	require.NoError(t, err)
	require.Greater(t, stop, 30*time.Second, "--drain-delay and --shutdown-timeout come first")

	analyze := tool(t, "systemd-analyze")
	said, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--no-pager", "--threshold=20", file).CombinedOutput()
	require.NoError(t, err, "its exposure is above 2.0:\n%s", said)
}
