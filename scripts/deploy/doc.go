// Package deploy has no code: its tests check the files that an operator installs.
package deploy
