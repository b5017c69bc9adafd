package kubelet

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// address is a service as pods spell it: NAME.NAMESPACE:PORT.
const address = `//([a-z0-9-]+)\.([a-z0-9-]+)(?:\.svc(?:\.cluster\.local)?)?:([0-9]+)`

// addresses replaces the addresses of services in a text by those on this host
// of a ready pod behind them. There is no cluster DNS; what is not a service
// with a ready pod stays as it was.
func (k *Kubelet) addresses(ctx context.Context, text string) string {
	pattern := regexp.MustCompile(address)
	return pattern.ReplaceAllStringFunc(text, func(found string) string {
		part := pattern.FindStringSubmatch(found)
		service, err := k.client.CoreV1().Services(part[2]).Get(ctx, part[1], metav1.GetOptions{})
		if err != nil {
			return found
		}
		number, err := strconv.ParseInt(part[3], 10, 32)
		if err != nil {
			return found
		}
		if port := k.behind(service, int32(number)); port != 0 {
			return fmt.Sprintf("//127.0.0.1:%d", port)
		}
		return found
	})
}

// behind is the port of this host that a service's port leads to; 0 where no
// pod is ready.
func (k *Kubelet) behind(service *corev1.Service, number int32) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	selector := labels.SelectorFromSet(service.Spec.Selector)
	for _, p := range service.Spec.Ports {
		if p.Port != number {
			continue
		}
		for _, w := range k.pods {
			if w.pod.Namespace != service.Namespace || !selector.Matches(labels.Set(w.pod.Labels)) {
				continue
			}
			if host := w.hostPort(w.target(p.TargetPort)); host != 0 {
				return host
			}
		}
	}
	return 0
}

// target is the container's port that a service's names.
func (w *worker) target(port intstr.IntOrString) int32 {
	for _, c := range w.pod.Spec.Containers {
		for _, p := range c.Ports {
			if p.Name == port.StrVal && port.Type == intstr.String {
				return p.ContainerPort
			}
		}
	}
	return port.IntVal
}
