// Package unkey reads the MySQL database of an Unkey deployment and says what its rows are as records of creditd. It writes to neither side and
// guesses nothing: a row that a record cannot express becomes a Problem. Command migrate is its only caller.
package unkey
