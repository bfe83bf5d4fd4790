package api

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// notServed are the methods of the Unkey SDKs that this release does not serve. docs/sdk-methods.md is made from them.
var notServed = []string{
	"analytics.getGatewayRequests", "analytics.getRatelimits", "analytics.getRuntimeLogs", "analytics.getVerifications",
	"apps.createApp", "apps.deleteApp", "apps.getApp", "apps.listApps", "apps.updateApp",
	"deploy.createDeployment", "deploy.getDeployment",
	"deployments.createDeployment", "deployments.getDeployment", "deployments.listDeployments", "deployments.promoteDeployment",
	"deployments.rollbackDeployment", "deployments.startDeployment", "deployments.stopDeployment",
	"domains.createDomain", "domains.deleteDomain", "domains.getDomain", "domains.listDomains", "domains.verifyDomain",
	"environments.getEnvironment", "environments.listEnvironmentVariables", "environments.listEnvironments",
	"environments.removeEnvironmentVariables", "environments.setEnvironmentVariables", "environments.updateSettings",
	"gateway.listPolicies", "gateway.setPolicies", "gateway.updatePolicy",
	"github.installApp",
	"portal.createSession", "portal.exchangeCode", "portal.getVerifications", "portal.listKeys", "portal.rerollKey",
	"projects.createProject", "projects.deleteProject", "projects.getProject", "projects.listProjects", "projects.updateProject",
}

// NotServed returns the names of the methods of the Unkey SDKs that this release does not serve.
func NotServed() []string { return slices.Clone(notServed) }

var endpointNotServed = errorType{http.StatusNotFound, "unkey/application/endpoint_not_served", "Not Found",
	"This server does not serve the method"}

// methodPath is the path of a method of any resource.
var methodPath = regexp.MustCompile(`^/v2/([a-zA-Z]{1,64})\.([a-zA-Z]{1,64})$`)

// unserved adds the answer to methods that are not served: a client that uses one learns more than that there is no such path.
// Every other unknown path gets the answer of the router: docs/contract.md 1.1.
func (a *API) unserved(endpoints []*endpoint) {
	known := map[string]bool{}
	for _, e := range endpoints {
		known[resource(e.name)] = true
	}
	for _, name := range notServed {
		known[resource(name)] = true
	}
	refuse := a.serve(&endpoint{name: "notServed", run: refuseMethod, metrics: a.metrics.endpoint("notServed")})
	a.engine.NoRoute(func(g *gin.Context) {
		if method := methodPath.FindStringSubmatch(g.Request.URL.Path); method != nil && known[method[1]] {
			refuse(g)
		}
	})
}

func refuseMethod(c *call) (any, error) {
	name := strings.TrimPrefix(c.gin.Request.URL.Path, "/v2/")
	return nil, &problem{errorType: &endpointNotServed, detail: "This server does not serve the method " + name + ". docs/sdk-methods.md lists what it serves"}
}

// resource returns the resource of a method: "keys" of "keys.verifyKey".
func resource(method string) string {
	before, _, _ := strings.Cut(method, ".")
	return before
}
