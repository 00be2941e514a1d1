package main

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func anIngress(name string, kind networkingv1.PathType, path, service string) *networkingv1.Ingress {
	ours := class
	return &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec: networkingv1.IngressSpec{IngressClassName: &ours, Rules: []networkingv1.IngressRule{{
			Host: "shop.test",
			IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{Path: path, PathType: &kind, Backend: networkingv1.IngressBackend{
					Service: &networkingv1.IngressServiceBackend{Name: service, Port: networkingv1.ServiceBackendPort{Name: "http"}},
				}}},
			}},
		}}},
	}
}

func aService(name string, addresses map[string]bool) (*corev1.Service, *discoveryv1.EndpointSlice) {
	port, target := "http", int32(8000)
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: port, Port: 80}}},
	}
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Labels: map[string]string{discoveryv1.LabelServiceName: name}},
		Ports:      []discoveryv1.EndpointPort{{Name: &port, Port: &target}},
	}
	for address, ready := range addresses {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: &ready},
		})
	}
	return service, slice
}

func configured(addresses map[string]bool, all ...*networkingv1.Ingress) string {
	service, slice := aService("api", addresses)
	text, _ := configure(newObjects(all, []*corev1.Service{service}, []*discoveryv1.EndpointSlice{slice}, nil), "/f")
	return text
}

func TestOnlyPodsThatAreReadyAreAsked(t *testing.T) {
	text := configured(map[string]bool{"10.0.0.1": true, "10.0.0.2": false}, anIngress("a", networkingv1.PathTypePrefix, "/", "api"))
	expect(t, text, "server 10.0.0.1:8000 ", "proxy_pass http://shop.api.80;")
	if strings.Contains(text, "10.0.0.2") {
		t.Error(text)
	}
}

func TestAPrefixIsOfWholeElements(t *testing.T) {
	text := configured(map[string]bool{"10.0.0.1": true}, anIngress("a", networkingv1.PathTypePrefix, "/api/tickets", "api"))
	expect(t, text, `location = "/api/tickets" {`, `location ^~ "/api/tickets/" {`, "location / { return 404; }")
}

func TestAServiceWithoutPodsIsUnavailable(t *testing.T) {
	expect(t, configured(nil, anIngress("a", networkingv1.PathTypePrefix, "/", "api")), "return 503;")
}

func TestOfTwoThatWantAPathTheOlderHasIt(t *testing.T) {
	older, newer := anIngress("z", networkingv1.PathTypePrefix, "/", "api"), anIngress("a", networkingv1.PathTypePrefix, "/", "other")
	newer.CreationTimestamp = metav1.Unix(1, 0)
	text := configured(map[string]bool{"10.0.0.1": true}, newer, older)
	expect(t, text, "proxy_pass http://shop.api.80;")
	if strings.Contains(text, "return 503") {
		t.Error(text)
	}
}

func TestAPathCannotEndItsLocation(t *testing.T) {
	text := configured(map[string]bool{"10.0.0.1": true}, anIngress("a", networkingv1.PathTypeExact, `/a" { return 200; } #`, "api"))
	expect(t, text, `location = "/a\" { return 200; } #" {`)
}

func TestAnotherClassIsNotOurs(t *testing.T) {
	other, one := "other", anIngress("a", networkingv1.PathTypePrefix, "/", "api")
	one.Spec.IngressClassName = &other
	if strings.Contains(configured(map[string]bool{"10.0.0.1": true}, one), "shop.test") {
		t.Error("it was configured")
	}
}
