package main

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// objects are what the configuration is made of.
type objects struct {
	ingresses []*networkingv1.Ingress
	services  map[string]*corev1.Service
	slices    map[string][]*discoveryv1.EndpointSlice
	secrets   map[string]*corev1.Secret
}

// newObjects sorts the ingresses by age: of two that want the same path, the older has it.
func newObjects(all []*networkingv1.Ingress, services []*corev1.Service, endpoints []*discoveryv1.EndpointSlice,
	secrets []*corev1.Secret) objects {
	o := objects{
		services: map[string]*corev1.Service{},
		slices:   map[string][]*discoveryv1.EndpointSlice{},
		secrets:  map[string]*corev1.Secret{},
	}
	for _, one := range all {
		if isOurs(one) {
			o.ingresses = append(o.ingresses, one)
		}
	}
	sort.Slice(o.ingresses, func(a, b int) bool {
		x, y := o.ingresses[a], o.ingresses[b]
		if !x.CreationTimestamp.Equal(&y.CreationTimestamp) {
			return x.CreationTimestamp.Before(&y.CreationTimestamp)
		}
		return x.Namespace+"/"+x.Name < y.Namespace+"/"+y.Name
	})
	for _, service := range services {
		o.services[service.Namespace+"/"+service.Name] = service
	}
	for _, slice := range endpoints {
		key := slice.Namespace + "/" + slice.Labels[discoveryv1.LabelServiceName]
		o.slices[key] = append(o.slices[key], slice)
	}
	for _, secret := range secrets {
		if secret.Type == corev1.SecretTypeTLS {
			o.secrets[secret.Namespace+"/"+secret.Name] = secret
		}
	}
	return o
}

// site is one server of nginx.
type site struct {
	Host        string
	Certificate string
	Redirect    bool
	Locations   []*location
	paths       map[string]bool
}

// location is one path: Match is what nginx compares with, Upstream is empty when there is nobody to ask.
type location struct {
	Match, Upstream, Name string
	BodySize, ReadTimeout string
}

// upstream is one port of one service.
type upstream struct {
	Name      string
	Addresses []string
}

// sites works out the servers, their upstreams, and the certificates by file name.
func sites(o objects) ([]*site, []upstream, map[string][]byte) {
	byHost := map[string]*site{"_": {Host: "_", paths: map[string]bool{}}}
	upstreams, certificates := map[string]upstream{}, map[string][]byte{}
	for _, one := range o.ingresses {
		for _, rule := range rulesOf(one) {
			server := hostOf(byHost, rule.Host)
			for _, path := range sortedPaths(rule.HTTP.Paths) {
				server.add(path, o.upstreamOf(one.Namespace, path.Backend, upstreams), one)
			}
		}
		for _, section := range one.Spec.TLS {
			o.encrypt(byHost, one, section, certificates)
		}
	}
	servers := make([]*site, 0, len(byHost))
	for _, host := range sortedKeys(byHost) {
		servers = append(servers, byHost[host])
	}
	targets := make([]upstream, 0, len(upstreams))
	for _, name := range sortedKeys(upstreams) {
		targets = append(targets, upstreams[name])
	}
	for n, where := 0, 0; n < len(servers); n++ {
		for _, location := range servers[n].Locations {
			location.Name = fmt.Sprintf("once%d", where)
			where++
		}
	}
	return servers, targets, certificates
}

// rulesOf takes the default backend as what is at / where no rule says anything else.
func rulesOf(one *networkingv1.Ingress) []networkingv1.IngressRule {
	var rules []networkingv1.IngressRule
	for _, rule := range one.Spec.Rules {
		if rule.HTTP != nil {
			rules = append(rules, rule)
		}
	}
	if one.Spec.DefaultBackend == nil {
		return rules
	}
	prefix := networkingv1.PathTypePrefix
	fallback := &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{
		{Path: "/", PathType: &prefix, Backend: *one.Spec.DefaultBackend},
	}}
	for _, rule := range one.Spec.Rules {
		rules = append(rules, networkingv1.IngressRule{Host: rule.Host, IngressRuleValue: networkingv1.IngressRuleValue{HTTP: fallback}})
	}
	return append(rules, networkingv1.IngressRule{IngressRuleValue: networkingv1.IngressRuleValue{HTTP: fallback}})
}

func hostOf(byHost map[string]*site, host string) *site {
	if host == "" {
		host = "_"
	}
	if byHost[host] == nil {
		byHost[host] = &site{Host: host, paths: map[string]bool{}}
	}
	return byHost[host]
}

// sortedPaths puts exact ones first, so that they are not taken for the beginning of a prefix.
func sortedPaths(paths []networkingv1.HTTPIngressPath) []networkingv1.HTTPIngressPath {
	sorted := slices.Clone(paths)
	sort.SliceStable(sorted, func(a, b int) bool { return isExact(sorted[a]) && !isExact(sorted[b]) })
	return sorted
}

func isExact(path networkingv1.HTTPIngressPath) bool {
	return path.PathType != nil && *path.PathType == networkingv1.PathTypeExact
}

// A prefix means whole elements: /a is /a and all below /a/, but not /ab.
func (s *site) add(path networkingv1.HTTPIngressPath, target string, from *networkingv1.Ingress) {
	base := strings.TrimRight(path.Path, "/")
	matches := []string{"= " + quoted(base), "^~ " + quoted(base+"/")}
	switch {
	case isExact(path):
		matches = []string{"= " + quoted(path.Path)}
	case base == "":
		matches = []string{quoted("/")}
	}
	for _, match := range matches {
		if s.paths[match] {
			continue
		}
		s.paths[match] = true
		s.Locations = append(s.Locations, &location{
			Match:       match,
			Upstream:    target,
			BodySize:    annotation(from, "proxy-body-size", sizes, "1m"),
			ReadTimeout: annotation(from, "proxy-read-timeout", seconds, "60"),
		})
	}
}

var (
	sizes   = regexp.MustCompile(`^[0-9]+[kKmMgG]?$`)
	seconds = regexp.MustCompile(`^[0-9]+$`)
)

func annotation(of *networkingv1.Ingress, name string, valid *regexp.Regexp, otherwise string) string {
	if value := of.Annotations["nginx.ingress.kubernetes.io/"+name]; valid.MatchString(value) {
		return value
	}
	return otherwise
}

// The API server accepts paths that mean something in nginx's language.
func quoted(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", "", "\r", "").Replace(path) + `"`
}

func (o objects) upstreamOf(namespace string, backend networkingv1.IngressBackend, known map[string]upstream) string {
	if backend.Service == nil {
		return ""
	}
	key := namespace + "/" + backend.Service.Name
	service := o.services[key]
	if service == nil {
		return ""
	}
	for _, port := range service.Spec.Ports {
		if port.Port != backend.Service.Port.Number && (port.Name == "" || port.Name != backend.Service.Port.Name) {
			continue
		}
		addresses := ready(o.slices[key], port.Name)
		if len(addresses) == 0 {
			return ""
		}
		name := fmt.Sprintf("%s.%s.%d", namespace, backend.Service.Name, port.Port)
		known[name] = upstream{Name: name, Addresses: addresses}
		return name
	}
	return ""
}

// ready returns the addresses of pods that are ready and not about to end.
func ready(endpoints []*discoveryv1.EndpointSlice, portName string) []string {
	found := map[string]bool{}
	for _, slice := range endpoints {
		for _, port := range slice.Ports {
			if port.Port == nil || (port.Name == nil && portName != "") || (port.Name != nil && *port.Name != portName) {
				continue
			}
			for _, endpoint := range slice.Endpoints {
				if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
					found[fmt.Sprintf("%s:%d", endpoint.Addresses[0], *port.Port)] = true
				}
			}
		}
	}
	return sortedKeys(found)
}

// encrypt leaves a host unencrypted as long as its Secret is missing or no pair of key and certificate.
func (o objects) encrypt(byHost map[string]*site, one *networkingv1.Ingress, section networkingv1.IngressTLS, files map[string][]byte) {
	secret := o.secrets[one.Namespace+"/"+section.SecretName]
	if secret == nil {
		return
	}
	certificate, key := secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey]
	if _, err := tls.X509KeyPair(certificate, key); err != nil {
		return
	}
	pem := slices.Concat(certificate, []byte("\n"), key)
	// Another content is another file, so that nginx never reads half of one.
	file := fmt.Sprintf("%x.pem", sha256.Sum256(pem))
	files[file] = pem
	for _, host := range section.Hosts {
		if server := byHost[host]; server != nil {
			server.Certificate = file
			server.Redirect = one.Annotations["nginx.ingress.kubernetes.io/ssl-redirect"] != "false"
		}
	}
}

func sortedKeys[V any](of map[string]V) []string { return slices.Sorted(maps.Keys(of)) }
