// Package check reads what scripts/deploy ships with the libraries of those who will read it: Kubernetes' types and kustomize, Compose's
// loader, and BuildKit's parser of Dockerfiles. It is a module of its own, because the product needs none of them.
package check

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// manifests are what kustomize makes of a folder, each read into its type; a field that the type does not have is an error.
type manifests struct {
	set      appsv1.StatefulSet
	budget   policyv1.PodDisruptionBudget
	services map[string]corev1.Service
	account  corev1.ServiceAccount
}

func build(t *testing.T, folder string) (m manifests) {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), "../kubernetes/"+folder)
	require.NoError(t, err)
	m.services = map[string]corev1.Service{}
	for _, r := range resources.Resources() {
		text, err := r.AsYAML()
		require.NoError(t, err)
		switch kind := r.GetKind(); kind {
		case "StatefulSet":
			require.NoError(t, yaml.UnmarshalStrict(text, &m.set))
		case "PodDisruptionBudget":
			require.NoError(t, yaml.UnmarshalStrict(text, &m.budget))
		case "ServiceAccount":
			require.NoError(t, yaml.UnmarshalStrict(text, &m.account))
		case "Service":
			var service corev1.Service
			require.NoError(t, yaml.UnmarshalStrict(text, &service))
			m.services[service.Name] = service
		default:
			t.Fatalf("a manifest of kind %s is not checked", kind)
		}
	}
	return m
}

func environment(c corev1.Container) map[string]string {
	values := map[string]string{}
	for _, one := range c.Env {
		values[one.Name] = one.Value
	}
	return values
}

func TestKubernetes_ManifestsFitTogether(t *testing.T) {
	for _, folder := range []string{"base", "tls"} {
		t.Run(folder, func(t *testing.T) {
			m := build(t, folder)
			pod := m.set.Spec.Template
			labels := pod.Labels
			require.NotEmpty(t, labels)
			require.Equal(t, labels, m.set.Spec.Selector.MatchLabels)
			require.Equal(t, labels, m.budget.Spec.Selector.MatchLabels)
			require.Equal(t, labels, pod.Spec.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution[0].LabelSelector.MatchLabels)
			require.Equal(t, m.account.Name, pod.Spec.ServiceAccountName)
			require.Equal(t, 1, m.budget.Spec.MaxUnavailable.IntValue(), "two of three are the quorum")
			require.EqualValues(t, 3, *m.set.Spec.Replicas)
			require.Len(t, m.services, 2)
			nodes := m.services[m.set.Spec.ServiceName]
			require.True(t, nodes.Spec.PublishNotReadyAddresses, "nodes find each other before they are ready")

			container := pod.Spec.Containers[0]
			ports := map[string]int32{}
			for _, port := range container.Ports {
				ports[port.Name] = port.ContainerPort
			}
			for name, service := range m.services {
				require.Equal(t, labels, service.Spec.Selector, name)
				for _, port := range service.Spec.Ports {
					require.Equal(t, port.Port, ports[port.TargetPort.StrVal], "%s: %s", name, port.Name)
				}
			}
			env := environment(container)
			for i := range 3 {
				require.Contains(t, env["CREDITD_JOIN"], m.set.Name+"-"+string(rune('0'+i))+"."+nodes.Name+":7072")
			}
			require.Equal(t, "/readyz", container.ReadinessProbe.HTTPGet.Path)
			require.Equal(t, "/healthz", container.LivenessProbe.HTTPGet.Path, "a node that waits for a quorum must not be restarted")
			mounts := map[string]bool{}
			for _, mount := range container.VolumeMounts {
				mounts[mount.MountPath] = true
			}
			for name, value := range env {
				if strings.HasSuffix(name, "_FILE") || strings.HasPrefix(name, "CREDITD_HTTP_TLS") {
					require.True(t, mounts[value[:strings.LastIndex(value, "/")]], "%s: %s is not mounted", name, value)
				}
			}
			scheme := map[string]corev1.URIScheme{"base": "", "tls": corev1.URISchemeHTTPS}[folder]
			for _, probe := range []*corev1.Probe{container.StartupProbe, container.LivenessProbe, container.ReadinessProbe} {
				require.Equal(t, scheme, probe.HTTPGet.Scheme)
			}
			require.Equal(t, folder == "tls", env["CREDITD_HTTP_TLS_CERT"] != "")
			require.Equal(t, strings.ToLower(string(scheme)), pod.Annotations["prometheus.io/scheme"])
			require.NotContains(t, env, "GOMEMLIMIT", "the whole limit of the container is too much: the node takes 85 % of it by itself")
			require.False(t, container.Resources.Limits.Memory().IsZero())
		})
	}
}

// TestKubernetes_ToolReachesTheDataOfANode: what an operator needs at night has the user, the volume and the path of the nodes.
func TestKubernetes_ToolReachesTheDataOfANode(t *testing.T) {
	text, err := os.ReadFile("../kubernetes/tool.yaml")
	require.NoError(t, err)
	var tool corev1.Pod
	require.NoError(t, yaml.UnmarshalStrict(text, &tool))
	set := build(t, "base").set
	require.Equal(t, set.Spec.Template.Spec.SecurityContext, tool.Spec.SecurityContext)
	require.Equal(t, set.Spec.Template.Spec.Containers[0].SecurityContext, tool.Spec.Containers[0].SecurityContext)
	claim := set.Spec.VolumeClaimTemplates[0].Name
	require.Equal(t, claim+"-"+set.Name+"-2", tool.Spec.Volumes[0].PersistentVolumeClaim.ClaimName)
	require.Contains(t, set.Spec.Template.Spec.Containers[0].VolumeMounts, tool.Spec.Containers[0].VolumeMounts[0])
}

func TestCompose_Loads(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"../compose.yaml"})
	require.NoError(t, err)
	project, err := options.LoadProject(t.Context())
	require.NoError(t, err)
	require.Len(t, project.Services, 3)
	for name, service := range project.Services {
		require.Equal(t, name+":7071", *service.Environment["CREDITD_ADVERTISE_PEER"])
		require.Contains(t, *service.Environment["CREDITD_JOIN"], name+":7072")
		require.Equal(t, name, service.Volumes[0].Source)
		for _, port := range service.Ports {
			require.Equal(t, "127.0.0.1", port.HostIP, "a trial listens on this machine only")
		}
		_, err := os.Stat(service.Build.Context + "/" + service.Build.Dockerfile)
		require.NoError(t, err)
	}
}

func TestDockerfile_Parses(t *testing.T) {
	text, err := os.ReadFile("../Dockerfile")
	require.NoError(t, err)
	parsed, err := parser.Parse(bytes.NewReader(text))
	require.NoError(t, err)
	require.Empty(t, parsed.Warnings)
	stages, _, err := instructions.Parse(parsed.AST, nil)
	require.NoError(t, err)
	last := stages[len(stages)-1]
	var user, health bool
	for _, command := range last.Commands {
		switch c := command.(type) {
		case *instructions.UserCommand:
			user = !strings.HasPrefix(c.User, "0") && c.User != "root"
		case *instructions.HealthCheckCommand:
			health = c.Health.Test[len(c.Health.Test)-1] == "health"
		}
	}
	require.True(t, user, "it must not run as root")
	require.True(t, health, "the binary checks its health")
}
