package deploy

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/creditd/creditd/scripts/launch"
)

// machine is one of three on which a file starts a node: what others call it, and the environment of its process.
type machine struct {
	host string
	env  map[string]string
}

// composed are the machines of compose.yaml.
func composed(t *testing.T) (machines []machine) {
	t.Helper()
	text, err := os.ReadFile("compose.yaml")
	require.NoError(t, err)
	var file struct {
		Services map[string]struct {
			Environment map[string]string `yaml:"environment"`
		} `yaml:"services"`
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	require.Len(t, file.Services, 3)
	for i := range 3 {
		name := fmt.Sprintf("node%d", i+1)
		env := file.Services[name].Environment
		for key, value := range env { // ${NAME:-DEFAULT}
			if _, rest, found := strings.Cut(value, ":-"); found {
				env[key] = strings.TrimSuffix(rest, "}")
			}
		}
		machines = append(machines, machine{name, env})
	}
	return machines
}

// podded are the pods of the StatefulSet.
func podded(t *testing.T) (machines []machine) {
	t.Helper()
	text, err := os.ReadFile("kubernetes/base/statefulset.yaml")
	require.NoError(t, err)
	var file struct {
		Spec struct {
			Template struct {
				Spec struct {
					Containers []struct {
						Env []struct{ Name, Value string }
					}
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	for i := range 3 {
		env, name := map[string]string{}, fmt.Sprintf("creditd-%d", i)
		for _, one := range file.Spec.Template.Spec.Containers[0].Env {
			if one.Value != "" {
				env[one.Name] = strings.NewReplacer("$(POD_NAME)", name, "$(POD_IP)", "0.0.0.0").Replace(one.Value)
			}
		}
		machines = append(machines, machine{name + ".creditd-nodes", env})
	}
	return machines
}

// portOf finds a port of a node of these files.
var portOf = regexp.MustCompile(`([a-z0-9.-]+):(707[012])`)

// settle makes processes of one machine of what is meant for three: every address gets a free port, every file a place below dir.
func settle(t *testing.T, machines []machine, dir string) {
	t.Helper()
	ports := map[string]string{}
	at := func(host, port string) string {
		if ports[host+port] == "" {
			addrs, err := launch.FreeAddrs(1)
			require.NoError(t, err)
			ports[host+port] = addrs[0]
		}
		return ports[host+port]
	}
	for i, m := range machines {
		for name, value := range m.env {
			value = portOf.ReplaceAllStringFunc(value, func(address string) string {
				part := portOf.FindStringSubmatch(address)
				if part[1] == "0.0.0.0" {
					return at(m.host, part[2])
				}
				return at(part[1], part[2])
			})
			m.env[name] = strings.ReplaceAll(value, "/etc/creditd/", dir+"/")
		}
		m.env["CREDITD_DATA_DIR"] = filepath.Join(dir, fmt.Sprint("data", i))
		m.env["CREDITD_DRAIN_DELAY"] = "0s"
	}
	require.LessOrEqual(t, len(ports), 9, "a name in a list is none of a node: %v", ports)
}

// TestSettings_MakeAClusterThatVerifies: three nodes with the settings that Compose or Kubernetes gives them find each other, and the last two
// commands of README.md get from there to a first verification.
func TestSettings_MakeAClusterThatVerifies(t *testing.T) {
	binary, err := launch.Build{}.Into(t.Context(), t.TempDir())
	require.NoError(t, err)
	for name, read := range map[string]func(*testing.T) []machine{"compose": composed, "kubernetes": podded} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, machines := t.TempDir(), read(t)
			settle(t, machines, dir)
			for file, words := range map[string][]string{"root.key": {"rootkey", "new"}, "cluster.secret": {"secret", "new"}} {
				text, err := exec.CommandContext(t.Context(), binary, words...).Output()
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(dir, file), text, 0o600))
			}
			environment := func(m machine) (env []string) {
				for name, value := range m.env {
					env = append(env, name+"="+value)
				}
				return append(env, "CREDITD_ADDR="+m.env["CREDITD_HTTP_ADDR"])
			}
			for i, m := range machines {
				node, err := launch.StartLogged(filepath.Join(dir, fmt.Sprint("log", i)), launch.Command{Binary: binary, Args: []string{"server"}, Env: environment(m)})
				require.NoError(t, err)
				t.Cleanup(node.Kill)
			}
			run := func(m machine, name string, words ...string) (string, error) {
				command := exec.CommandContext(t.Context(), name, words...)
				command.Env = append(environment(m), "PATH="+os.Getenv("PATH"))
				said, err := command.CombinedOutput()
				return string(said), err
			}
			waiting, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			for _, m := range machines {
				require.NoError(t, launch.Await(waiting, "a healthy node", func(context.Context) error {
					_, err := run(m, binary, "health")
					return err
				}))
			}
			said, err := run(machines[0], binary, "demo")
			require.NoError(t, err, said)
			request := regexp.MustCompile(`(?m)^curl .*$`).FindString(said)
			said, err = run(machines[0], "sh", "-c", request)
			require.NoError(t, err, said)
			require.Contains(t, said, `"code":"VALID"`)
		})
	}
}
