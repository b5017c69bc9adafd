package plane

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientapi "k8s.io/client-go/tools/clientcmd/api"
)

// writeTokens gives each user of the plane a token, in the form that the API
// server reads: token,user,uid,"groups".
func writeTokens(path string) (map[string]string, error) {
	tokens := map[string]string{}
	var csv strings.Builder
	for user, groups := range map[string]string{Admin: "system:masters", userManager: "", userScheduler: ""} {
		tokens[user] = rand.Text()
		fmt.Fprintf(&csv, "%s,%s,%s", tokens[user], user, user)
		if groups != "" {
			fmt.Fprintf(&csv, ",%q", groups)
		}
		csv.WriteByte('\n')
	}
	if err := os.WriteFile(path, []byte(csv.String()), 0o600); err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	return tokens, nil
}

// Kubeconfig writes a kubeconfig for the plane's administrator with a default
// namespace, and returns its path.
func (p *Plane) Kubeconfig(namespace string) (string, error) {
	return p.writeKubeconfig("admin-"+namespace+".kubeconfig", p.tokens[Admin], namespace)
}

// KubeconfigToken writes a kubeconfig named name for the bearer of a token.
func (p *Plane) KubeconfigToken(name, token, namespace string) (string, error) {
	return p.writeKubeconfig(name+".kubeconfig", token, namespace)
}

func (p *Plane) writeKubeconfig(name, token, namespace string) (string, error) {
	c := clientapi.NewConfig()
	c.Clusters["test"] = &clientapi.Cluster{Server: p.server, CertificateAuthorityData: p.Keys.CA()}
	c.AuthInfos["user"] = &clientapi.AuthInfo{Token: token}
	c.Contexts["test"] = &clientapi.Context{Cluster: "test", AuthInfo: "user", Namespace: namespace}
	c.CurrentContext = "test"
	path := filepath.Join(p.cfg.Dir, name)
	if err := clientcmd.WriteToFile(*c, path); err != nil {
		return "", fmt.Errorf("kubeconfig %s: %w", path, err)
	}
	return path, nil
}
