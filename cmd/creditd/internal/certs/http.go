package certs

import "crypto/tls"

// HTTPServer returns the settings of the HTTP port. With authorities every client must show a certificate that comes from one.
func HTTPServer(k *Keeper) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			loaded := k.Current()
			conf := &tls.Config{
				MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{loaded.Pair}, NextProtos: []string{"h2", "http/1.1"},
			}
			if loaded.Authorities != nil {
				conf.ClientAuth, conf.ClientCAs = tls.RequireAndVerifyClientCert, loaded.Authorities
				conf.SessionTicketsDisabled = true // a resumed session would not notice that an authority is gone
			}
			return conf, nil
		},
	}
}
