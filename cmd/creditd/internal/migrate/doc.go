// Package migrate moves what package unkey reads into a cluster, through the API, and compares both afterwards. Its state is in the cluster: the
// import is idempotent, so a pass that was interrupted may begin again anywhere. Command migrate is its only caller.
package migrate
