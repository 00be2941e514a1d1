package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	networkinglisters "k8s.io/client-go/listers/networking/v1"
)

const class = "nginx"

// ingress runs nginx and keeps its configuration equal to the Ingress objects of its class.
type ingress struct {
	client    kubernetes.Interface
	ingresses networkinglisters.IngressLister
	services  corelisters.ServiceLister
	secrets   corelisters.SecretLister
	slices    discoverylisters.EndpointSliceLister
	changes   <-chan struct{}
	address   string
	folder    string
	nginx     *exec.Cmd
	applied   string
}

func newIngress(client kubernetes.Interface, w *watch, address, folder string) *ingress {
	core, networking, discovery := w.factory.Core().V1(), w.factory.Networking().V1(), w.factory.Discovery().V1()
	return &ingress{
		client:    client,
		ingresses: networking.Ingresses().Lister(),
		services:  core.Services().Lister(),
		secrets:   core.Secrets().Lister(),
		slices:    discovery.EndpointSlices().Lister(),
		changes: w.changes(networking.Ingresses().Informer(), core.Services().Informer(),
			core.Secrets().Informer(), discovery.EndpointSlices().Informer()),
		address: address,
		folder:  folder,
	}
}

// run returns when it is told to end, after requests under way, or when nginx ended by itself.
func (i *ingress) run(ctx context.Context) error {
	if err := os.MkdirAll(i.folder, 0o700); err != nil {
		return err
	}
	fallback, err := selfSigned()
	if err != nil {
		return err
	}
	if err := os.WriteFile(i.path("fallback.pem"), fallback, 0o600); err != nil {
		return err
	}
	if err := i.write(); err != nil {
		return err
	}
	i.nginx = i.command("-g", "daemon off;")
	if err := i.nginx.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- i.nginx.Wait() }()
	go each(ctx, i.changes, 50*time.Millisecond, func() error { return i.apply(ctx) }, func(err error) { log.Print("ingress: ", err) })
	select {
	case err := <-ended:
		return fmt.Errorf("nginx ended by itself: %v", err)
	case <-ctx.Done():
		_ = i.nginx.Process.Signal(syscall.SIGQUIT)
		<-ended
		return nil
	}
}

// apply reloads nginx when the configuration is another than before and a valid one, and says in each Ingress where it is.
func (i *ingress) apply(ctx context.Context) error {
	before := i.applied
	if err := i.write(); err != nil {
		return err
	}
	if i.applied != before {
		if err := i.nginx.Process.Signal(syscall.SIGHUP); err != nil {
			return err
		}
		log.Print("ingress: nginx has a new configuration")
	}
	return i.tell(ctx)
}

func (i *ingress) write() error {
	objects, err := i.objects()
	if err != nil {
		return err
	}
	config, certificates := configure(objects, i.folder)
	state := config
	for _, name := range sortedKeys(certificates) {
		state += string(certificates[name])
	}
	if state == i.applied {
		return nil
	}
	for name, pem := range certificates {
		if err := os.WriteFile(i.path(name), pem, 0o600); err != nil {
			return err
		}
	}
	// Checked apart: a broken file would stay to be found by an nginx that starts anew.
	if err := os.WriteFile(i.path("next.conf"), []byte(config), 0o600); err != nil {
		return err
	}
	test := exec.Command("nginx", "-t", "-q", "-e", "stderr", "-p", i.folder, "-c", i.path("next.conf"))
	if said, err := test.CombinedOutput(); err != nil {
		return fmt.Errorf("nginx refuses the configuration: %s", bytes.TrimSpace(said))
	}
	if err := os.Rename(i.path("next.conf"), i.path("nginx.conf")); err != nil {
		return err
	}
	i.applied = state
	return nil
}

func (i *ingress) objects() (objects, error) {
	everything := labels.Everything()
	all, err := i.ingresses.List(everything)
	services, errServices := i.services.List(everything)
	slices, errSlices := i.slices.List(everything)
	secrets, errSecrets := i.secrets.List(everything)
	return newObjects(all, services, slices, secrets), errors.Join(err, errServices, errSlices, errSecrets)
}

func (i *ingress) tell(ctx context.Context) error {
	all, err := i.ingresses.List(labels.Everything())
	failures := []error{err}
	for _, one := range all {
		now := one.Status.LoadBalancer.Ingress
		if !isOurs(one) || len(now) == 1 && now[0].IP == i.address {
			continue
		}
		changed := one.DeepCopy()
		changed.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: i.address}}
		_, err := i.client.NetworkingV1().Ingresses(one.Namespace).UpdateStatus(ctx, changed, metav1.UpdateOptions{})
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

func (i *ingress) command(arguments ...string) *exec.Cmd {
	command := exec.Command("nginx", append([]string{"-e", "stderr", "-p", i.folder, "-c", i.path("nginx.conf")}, arguments...)...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	return command
}

func (i *ingress) path(name string) string { return filepath.Join(i.folder, name) }

func isOurs(one *networkingv1.Ingress) bool {
	if name := one.Spec.IngressClassName; name != nil {
		return *name == class
	}
	return one.Annotations["kubernetes.io/ingress.class"] == class
}
