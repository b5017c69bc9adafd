package kubelet

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	authv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// environment prepares what a container finds: its variables, volumes as
// folders of this host, services by name, and the rights of its ServiceAccount.
// Since there is neither a file system of its own nor a network, the paths of
// mounts and the addresses of services are replaced in its command and
// variables by what they are on this host, and KUBECONFIG leads to the API
// server.
func (w *worker) environment(ctx context.Context, c *container) (env []string, dir string, err error) {
	dir = filepath.Join(w.k.cfg.Dir, "pods", string(w.pod.UID), c.spec.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, "", err
	}
	if len(c.program.Command) == 0 {
		return nil, dir, nil
	}
	mounts, err := w.mounts(ctx, c.spec)
	if err != nil {
		return nil, "", err
	}
	variables, err := w.variables(ctx, c.spec)
	if err != nil {
		return nil, "", err
	}
	env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	if on := w.pod.Spec.AutomountServiceAccountToken; on == nil || *on {
		config, err := w.access(ctx)
		if err != nil {
			return nil, "", err
		}
		env = append(env, "KUBECONFIG="+config)
	}
	host := func(text string) string { return mounts.replace(w.k.addresses(ctx, expand(text, variables))) }
	for _, v := range c.program.Env {
		env = append(env, mounts.replace(v))
	}
	for _, v := range variables {
		env = append(env, v.Name+"="+host(v.Value))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	command := slices.Clone(c.program.Command)
	for i := range command[1:] { // the program itself is this host's
		command[i+1] = host(command[i+1])
	}
	c.program.Command = command
	return env, dir, nil
}

// expand replaces $(NAME) by the variable's value, where there is one.
func expand(text string, variables []corev1.EnvVar) string {
	for _, v := range variables {
		text = strings.ReplaceAll(text, "$("+v.Name+")", v.Value)
	}
	return text
}

// access is a kubeconfig with a token of the pod's ServiceAccount.
func (w *worker) access(ctx context.Context) (string, error) {
	account := cmp.Or(w.pod.Spec.ServiceAccountName, "default")
	seconds := int64(3600)
	token, err := w.k.client.CoreV1().ServiceAccounts(w.pod.Namespace).CreateToken(ctx, account,
		&authv1.TokenRequest{Spec: authv1.TokenRequestSpec{ExpirationSeconds: &seconds}}, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("token of ServiceAccount %s: %w", account, err)
	}
	return w.k.plane.KubeconfigToken("pod-"+string(w.pod.UID), token.Status.Token, w.pod.Namespace)
}

// mounts is where paths of a container lie on this host.
type mounts []mount

type mount struct{ path, folder string }

// replace replaces the path of a mount in a text, where it begins the text or
// follows the first =. At most one is replaced: a folder of this host may lie
// below what is a mount, too.
func (m mounts) replace(text string) string {
	option, path, joined := strings.Cut(text, "=")
	if !joined {
		option, path = "", text
	} else {
		option += "="
	}
	for _, m := range m {
		if rest, found := strings.CutPrefix(path, m.path); found && (rest == "" || rest[0] == '/') {
			return option + m.folder + rest
		}
	}
	return text
}

// mounts makes the folders of a container's volumes. A claim is one folder for
// all that mount it; other volumes are the pod's own.
func (w *worker) mounts(ctx context.Context, c *corev1.Container) (mounts, error) {
	var all mounts
	for _, m := range c.VolumeMounts {
		i := slices.IndexFunc(w.pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
		if i < 0 || strings.HasPrefix(m.MountPath, "/var/run/secrets/") {
			continue
		}
		folder := filepath.Join(w.k.cfg.Dir, "pods", string(w.pod.UID), "volumes", m.Name)
		if claim := w.pod.Spec.Volumes[i].PersistentVolumeClaim; claim != nil {
			folder = w.k.Claim(w.pod.Namespace, claim.ClaimName)
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, err
		}
		if from := w.pod.Spec.Volumes[i].ConfigMap; from != nil {
			if err := w.writeConfigMap(ctx, from.Name, folder); err != nil {
				return nil, err
			}
		}
		all = append(all, mount{m.MountPath, filepath.Join(folder, m.SubPath)})
	}
	return all, nil
}

// writeConfigMap writes each key of a ConfigMap as a file.
func (w *worker) writeConfigMap(ctx context.Context, name, folder string) error {
	m, err := w.k.client.CoreV1().ConfigMaps(w.pod.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for file, text := range m.Data {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Claim is the folder of this host that a PersistentVolumeClaim stands for.
func (k *Kubelet) Claim(namespace, name string) string {
	return filepath.Join(k.cfg.Dir, "claims", namespace, name)
}

// variables are those of a container, with what they refer to.
func (w *worker) variables(ctx context.Context, c *corev1.Container) ([]corev1.EnvVar, error) {
	var all []corev1.EnvVar
	for _, from := range c.EnvFrom {
		if from.SecretRef == nil {
			return nil, fmt.Errorf("envFrom other than a secret is not played")
		}
		values, err := w.secret(ctx, from.SecretRef.Name, from.SecretRef.Optional)
		if err != nil {
			return nil, err
		}
		for name, value := range values {
			all = append(all, corev1.EnvVar{Name: from.Prefix + name, Value: string(value)})
		}
	}
	for _, v := range c.Env {
		value, found, err := w.value(ctx, v)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Name, err)
		}
		if found {
			all = append(all, corev1.EnvVar{Name: v.Name, Value: value})
		}
	}
	return all, nil
}

func (w *worker) value(ctx context.Context, v corev1.EnvVar) (value string, found bool, err error) {
	switch from := v.ValueFrom; {
	case from == nil:
		return v.Value, true, nil
	case from.SecretKeyRef != nil:
		values, err := w.secret(ctx, from.SecretKeyRef.Name, from.SecretKeyRef.Optional)
		b, found := values[from.SecretKeyRef.Key]
		return string(b), found, err
	case from.FieldRef != nil && from.FieldRef.FieldPath == "metadata.namespace":
		return w.pod.Namespace, true, nil
	case from.FieldRef != nil && from.FieldRef.FieldPath == "metadata.name":
		return w.pod.Name, true, nil
	case from.FieldRef != nil && from.FieldRef.FieldPath == "metadata.uid":
		return string(w.pod.UID), true, nil
	}
	return "", false, fmt.Errorf("a source that this kubelet does not play")
}

func (w *worker) secret(ctx context.Context, name string, optional *bool) (map[string][]byte, error) {
	s, err := w.k.client.CoreV1().Secrets(w.pod.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		if optional != nil && *optional {
			return nil, nil
		}
		return nil, err
	}
	return s.Data, nil
}
