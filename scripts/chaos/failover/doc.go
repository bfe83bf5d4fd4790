// Package failover measures what clients notice when a node goes: the leader killed with -9 while clients charge through the
// survivors, and every node restarted in turn as an operator does it, while clients charge through all of them.
//
// Nobody may see an error, nobody may be charged twice, and no answer may take longer than a limit.
package failover
