package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"headway/internal/bound"
	"headway/internal/fault"
)

// The resources that are used.
var (
	podResource     = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	serviceResource = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	eventResource   = schema.GroupVersionResource{Version: "v1", Resource: "events"}
	accessResource  = schema.GroupVersionResource{Group: "authorization.k8s.io", Version: "v1",
		Resource: "selfsubjectaccessreviews"}
)

// callLimit bounds one call of the API that is no watch.
const callLimit = 30 * time.Second

// Access says which cluster, as kubectl's options do. What is empty follows
// the usual rules: KUBECONFIG, then ~/.kube/config, then the service account
// of the pod this runs in; the current context; its namespace.
// Kubeconfig may be a list of files, as KUBECONFIG is.
type Access struct {
	Kubeconfig, Context, Namespace string
}

// Cluster is a way to one cluster and one namespace of it.
type Cluster struct {
	// Namespace is where everything happens.
	Namespace string
	// Server is the API server's address. Context and Kubeconfig are what led
	// there, empty inside a cluster.
	Server, Context, Kubeconfig string
	// Inside says that this runs in a pod of the cluster, so that services
	// have names here.
	Inside bool

	config  *rest.Config
	dynamic dynamic.Interface
	raw     *rest.RESTClient
}

// Connect reads the configuration and sends nothing.
func Connect(a Access) (*Cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	if list := filepath.SplitList(a.Kubeconfig); len(list) > 1 {
		rules.Precedence = list
	} else {
		rules.ExplicitPath = a.Kubeconfig
	}
	for _, name := range rules.GetLoadingPrecedence() {
		if err := bound.Check(name, bound.Document, "the configuration"); err != nil {
			return nil, fmt.Errorf("finding the cluster: %w", err)
		}
	}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: a.Context}
	overrides.Context.Namespace = a.Namespace
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	file, err := loader.RawConfig()
	if err == nil {
		err = checkFilesOf(file)
	}
	var config *rest.Config
	if err == nil {
		config, err = loader.ClientConfig()
	}
	if err != nil {
		return nil, fault.New("finding the cluster: %w; say which with %s and %s, or KUBECONFIG", err,
			fault.Field("kubeconfig"), fault.Field("context"))
	}
	c := &Cluster{Server: config.Host, Kubeconfig: a.Kubeconfig}
	if c.Namespace, _, err = loader.Namespace(); err != nil {
		return nil, fault.New("finding the namespace: %w; give it with %s", err, fault.Field("namespace"))
	}
	if c.Context = a.Context; c.Context == "" {
		c.Context = file.CurrentContext
	}
	c.Inside = len(file.Clusters) == 0 && os.Getenv("KUBERNETES_SERVICE_HOST") != ""
	if c.Kubeconfig == "" && !c.Inside {
		c.Kubeconfig = os.Getenv(clientcmd.RecommendedConfigPathEnvVar)
	}
	return c, c.open(config)
}

// checkFilesOf looks at the files that a configuration names, which are read by
// name where it is used.
func checkFilesOf(file api.Config) error {
	var names []string
	for _, c := range file.Clusters {
		names = append(names, c.CertificateAuthority)
	}
	for _, u := range file.AuthInfos {
		names = append(names, u.ClientCertificate, u.ClientKey, u.TokenFile)
	}
	for _, name := range names {
		if err := bound.Check(name, bound.Document, "what the configuration names"); err != nil {
			return err
		}
	}
	return nil
}

// open makes the clients.
func (c *Cluster) open(config *rest.Config) error {
	config.QPS, config.Burst = 50, 100
	config.UserAgent = "headway"
	config.WarningHandler = rest.NoWarnings{}
	config.Dial = (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	web, err := rest.HTTPClientFor(config)
	if err != nil {
		return fmt.Errorf("preparing to speak to %s: %w", config.Host, err)
	}
	if c.dynamic, err = dynamic.NewForConfigAndClient(config, web); err != nil {
		return fmt.Errorf("preparing to speak to %s: %w", config.Host, err)
	}
	plain := rest.CopyConfig(config)
	plain.NegotiatedSerializer = serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion()
	if c.raw, err = rest.UnversionedRESTClientForConfigAndClient(plain, web); err != nil {
		return fmt.Errorf("preparing to speak to %s: %w", config.Host, err)
	}
	c.config = config
	return nil
}

// in is the client of a resource in the namespace.
func (c *Cluster) in(r schema.GroupVersionResource) dynamic.ResourceInterface {
	return c.dynamic.Resource(r).Namespace(c.Namespace)
}

// Reach asks the API server for its version, once, and says within seconds
// when there is none.
func (c *Cluster) Reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := c.raw.Get().AbsPath("/version").MaxRetries(0).Do(ctx).Error()
	switch {
	case err == nil:
		return nil
	case apierrors.IsUnauthorized(err):
		return fault.New("reaching the API server %s: %w; the credentials are not taken: renew them, or choose "+
			"another %s",
			c.Server, err, fault.Field("context"))
	case apierrors.IsForbidden(err):
		return nil // it is there, and what is needed is asked for one by one
	}
	return fault.New("reaching the API server %s: %w; is the cluster up, and is it the one that is meant (%s, %s %q)?",
		c.Server, err, fault.Field("kubeconfig"), fault.Field("context"), c.Context)
}

// transient says that a call may be tried again: the API server is away, is
// being started or has too much to do.
func transient(err error) bool {
	var network net.Error
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return false
	case errors.As(err, &status):
		code := status.Status().Code
		return code == http.StatusTooManyRequests || code >= 500
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network):
		return true
	}
	// Whatever is no answer of the API server: a connection that was reset or
	// ended in the midst.
	return !errors.Is(err, context.Canceled)
}

// Default of how long the API server may be away before all is given up.
const awayLimit = 5 * time.Minute

// persist calls until it works, fails for good, or has failed for too long.
func persist(ctx context.Context, limit time.Duration, what string, call func(ctx context.Context) error) error {
	begun := time.Now()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		within, cancel := context.WithTimeout(ctx, callLimit)
		err := call(within)
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %w", what, context.Cause(ctx))
		case !transient(err):
			return fmt.Errorf("%s: %w", what, err)
		case time.Since(begun) > limit:
			return fmt.Errorf("%s: the API server has been away for %v: %w", what, limit, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// decode reads the fields that out has from an object.
func decode(from *unstructured.Unstructured, out any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(from.Object, out); err != nil {
		return fmt.Errorf("reading the %s %s: %w", from.GetKind(), from.GetName(), err)
	}
	return nil
}
