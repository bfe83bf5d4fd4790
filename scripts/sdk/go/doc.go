// Package suite runs the stock Go SDK against a cluster, which scripts/sdk starts and names in the environment. It is a module
// of its own, so that the product does not depend on the SDK.
package suite
