// Package failover measures what clients notice of a fault. Either the leader is killed while clients debit through the survivors, or every
// node is restarted in turn while clients debit through all of them.
//
// No client may see an error, no debit may be executed twice, and no answer may take longer than a limit.
package failover
