// Package certs loads certificates, checks them, and loads them again when their files change. Package main builds the settings of TLS
// servers and clients from them.
//
// A Keeper always has a certificate that works: files that cannot be used leave the one before in place, and are logged.
package certs
