package plane

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Keys are the certificates of one control plane, valid for a day.
type Keys struct {
	ca, server, caller, accounts pair

	authority *x509.Certificate
	signer    crypto.Signer
	caPEM     []byte
}

// pair is a certificate and its key on disk.
type pair struct{ certFile, keyFile string }

// newKeys makes an authority, the servers' certificate, the one that the API
// server shows to kubelets, and the key that signs service account tokens.
func newKeys(dir string) (*Keys, error) {
	k := &Keys{}
	at := func(name string) pair {
		return pair{filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")}
	}
	k.ca = at("ca")
	k.server = at("server")
	k.caller = at("apiserver-kubelet")
	k.accounts = at("accounts")
	if err := k.makeAuthority(); err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	for name, p := range map[string]pair{"server": k.server, "kube-apiserver-kubelet-client": k.caller,
		"service-accounts": k.accounts} {
		if err := k.issue(name, p); err != nil {
			return nil, fmt.Errorf("certificate %s: %w", name, err)
		}
	}
	return k, nil
}

// CA is the authority's certificate as PEM.
func (k *Keys) CA() []byte { return k.caPEM }

// ServerTLS is what a kubelet on 127.0.0.1 serves with: the plane's
// certificate, and only callers whom the plane's authority knows.
func (k *Keys) ServerTLS() (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(k.server.certFile, k.server.keyFile)
	if err != nil {
		return nil, fmt.Errorf("the kubelet's certificate: %w", err)
	}
	callers := x509.NewCertPool()
	callers.AddCert(k.authority)
	return &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: callers,
		ClientAuth: tls.RequireAndVerifyClientCert}, nil
}

func (k *Keys) makeAuthority() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "headway test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	if k.authority, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	k.signer, k.caPEM = key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return writePair(k.ca, der, key)
}

// issue makes a certificate for servers on loopback and for clients.
func (k *Keys) issue(name string, p pair) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost", "kubernetes.default.svc"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, k.authority, key.Public(), k.signer)
	if err != nil {
		return err
	}
	return writePair(p, der, key)
}

func writePair(p pair, der []byte, key crypto.Signer) error {
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		0o600); err != nil {
		return err
	}
	return os.WriteFile(p.keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}), 0o600)
}
