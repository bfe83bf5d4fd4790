// Package settings binds each setting of a command to a flag, an environment variable and a line of a file, in one line of
// code. The value comes from the flag, else from the variable, else from the file, else it stays what it was.
//
// A value is parsed only once its source is known, and a value that does not fit is noted with that source. So a command
// reports everything that is wrong at once, and says where each mistake stands.
package settings
