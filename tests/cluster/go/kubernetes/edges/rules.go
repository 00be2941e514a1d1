package main

import (
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// rules is the input of nft that replaces the table in one step.
//
// A pod that some policy selects gets a chain for that direction: it returns what is allowed and drops the rest. What a
// pod sends passes its own egress and then the receiver's ingress. What the node itself sends passes neither hook, so
// that the kubelet's probes always arrive; what a pod sends to the node (the API server) passes the input hook.
func rules(w world, policies []*networkingv1.NetworkPolicy) string {
	var chains, from, to []string
	for n, pod := range sortedPods(w.pods) {
		ingress, egress := applying(pod, policies)
		address := pod.Status.PodIP
		if len(egress) > 0 {
			name := fmt.Sprintf("egress%d", n)
			chains = append(chains, chain(name, pod, egressOf(w, egress), "daddr"))
			from = append(from, fmt.Sprintf("%s : jump %s", address, name))
		}
		if len(ingress) > 0 {
			name := fmt.Sprintf("ingress%d", n)
			chains = append(chains, chain(name, pod, ingressOf(w, pod, ingress), "saddr"))
			to = append(to, fmt.Sprintf("%s : jump %s", address, name))
		}
	}
	var text strings.Builder
	// The first line makes sure that there is a table to delete.
	text.WriteString("table ip policies {}\ndelete table ip policies\ntable ip policies {\n")
	text.WriteString(strings.Join(chains, ""))
	base(&text, "forward", dispatch("saddr", from), dispatch("daddr", to))
	base(&text, "input", dispatch("saddr", from))
	text.WriteString("}\n")
	return text.String()
}

func base(text *strings.Builder, hook string, lines ...string) {
	fmt.Fprintf(text, " chain %s {\n  type filter hook %s priority -5; policy accept;\n", hook, hook)
	text.WriteString("  ct state established,related accept\n")
	for _, line := range lines {
		text.WriteString(line)
	}
	text.WriteString(" }\n")
}

func dispatch(field string, verdicts []string) string {
	if len(verdicts) == 0 {
		return ""
	}
	return fmt.Sprintf("  ip %s vmap { %s }\n", field, strings.Join(verdicts, ", "))
}

func chain(name string, pod *corev1.Pod, allowed []string, peer string) string {
	// No policy can keep a pod from itself.
	lines := []string{fmt.Sprintf("ip %s %s return", peer, pod.Status.PodIP)}
	for _, match := range allowed {
		if !slices.Contains(lines, match+" return") {
			lines = append(lines, match+" return")
		}
	}
	return fmt.Sprintf(" chain %s { # %s/%s\n  %s\n  drop\n }\n", name, pod.Namespace, pod.Name, strings.Join(lines, "\n  "))
}

func applying(pod *corev1.Pod, policies []*networkingv1.NetworkPolicy) (ingress, egress []*networkingv1.NetworkPolicy) {
	for _, policy := range sortedPolicies(policies) {
		if policy.Namespace != pod.Namespace || !selects(&policy.Spec.PodSelector, pod.Labels) {
			continue
		}
		if slices.Contains(policy.Spec.PolicyTypes, networkingv1.PolicyTypeIngress) {
			ingress = append(ingress, policy)
		}
		if slices.Contains(policy.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) {
			egress = append(egress, policy)
		}
	}
	return ingress, egress
}

func ingressOf(w world, pod *corev1.Pod, policies []*networkingv1.NetworkPolicy) []string {
	var matches []string
	for _, policy := range policies {
		for _, rule := range policy.Spec.Ingress {
			ports := portsOf(rule.Ports, pod)
			for _, source := range addresses(w, policy.Namespace, rule.From, "saddr") {
				matches = append(matches, combine(source, ports)...)
			}
		}
	}
	return matches
}

// egressOf resolves named ports at each receiver, because the name means another number there.
func egressOf(w world, policies []*networkingv1.NetworkPolicy) []string {
	var matches []string
	for _, policy := range policies {
		for _, rule := range policy.Spec.Egress {
			if !slices.ContainsFunc(rule.Ports, isNamed) {
				for _, target := range addresses(w, policy.Namespace, rule.To, "daddr") {
					matches = append(matches, combine(target, portsOf(rule.Ports, nil))...)
				}
				continue
			}
			for _, target := range receivers(w, policy.Namespace, rule.To) {
				matches = append(matches, combine("ip daddr "+target.Status.PodIP, portsOf(rule.Ports, target))...)
			}
			for _, block := range blocks(rule.To, "daddr") {
				matches = append(matches, combine(block, portsOf(rule.Ports, nil))...)
			}
		}
	}
	return matches
}

func receivers(w world, home string, peers []networkingv1.NetworkPolicyPeer) []*corev1.Pod {
	if len(peers) == 0 {
		return w.pods
	}
	var found []*corev1.Pod
	for _, peer := range peers {
		if peer.IPBlock == nil {
			found = append(found, w.peers(home, peer)...)
		}
	}
	return sortedPods(found)
}

// addresses returns one match for each way in which a peer may be meant; no peers mean everybody.
func addresses(w world, home string, peers []networkingv1.NetworkPolicyPeer, field string) []string {
	if len(peers) == 0 {
		return []string{""}
	}
	matches := blocks(peers, field)
	var pods []string
	for _, pod := range receivers(w, home, peers) {
		pods = append(pods, pod.Status.PodIP)
	}
	if pods = slices.Compact(pods); len(pods) > 0 {
		matches = append(matches, fmt.Sprintf("ip %s { %s }", field, strings.Join(pods, ", ")))
	}
	return matches
}

func blocks(peers []networkingv1.NetworkPolicyPeer, field string) []string {
	var matches []string
	for _, peer := range peers {
		if peer.IPBlock == nil || !isIPv4(peer.IPBlock.CIDR) {
			continue
		}
		match := fmt.Sprintf("ip %s %s", field, peer.IPBlock.CIDR)
		for _, except := range peer.IPBlock.Except {
			if isIPv4(except) {
				match += fmt.Sprintf(" ip %s != %s", field, except)
			}
		}
		matches = append(matches, match)
	}
	return matches
}

// portsOf returns nil for ports that nobody has, and one empty match for no ports at all, which mean every port.
func portsOf(ports []networkingv1.NetworkPolicyPort, receiver *corev1.Pod) []string {
	if len(ports) == 0 {
		return []string{""}
	}
	var matches []string
	for _, port := range ports {
		protocol := corev1.ProtocolTCP
		if port.Protocol != nil {
			protocol = *port.Protocol
		}
		word := strings.ToLower(string(protocol))
		switch {
		case port.Port == nil:
			matches = append(matches, "meta l4proto "+word)
		case port.Port.Type == intstr.String:
			for _, number := range named(receiver, port.Port.StrVal, protocol) {
				matches = append(matches, fmt.Sprintf("%s dport %d", word, number))
			}
		case port.EndPort != nil:
			matches = append(matches, fmt.Sprintf("%s dport %d-%d", word, port.Port.IntVal, *port.EndPort))
		default:
			matches = append(matches, fmt.Sprintf("%s dport %d", word, port.Port.IntVal))
		}
	}
	return matches
}

func named(pod *corev1.Pod, name string, protocol corev1.Protocol) []int32 {
	var numbers []int32
	if pod == nil {
		return nil
	}
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == name && (port.Protocol == protocol || port.Protocol == "" && protocol == corev1.ProtocolTCP) {
				numbers = append(numbers, port.ContainerPort)
			}
		}
	}
	return numbers
}

func combine(address string, ports []string) []string {
	var matches []string
	for _, port := range ports {
		matches = append(matches, strings.TrimSpace(address+" "+port))
	}
	return matches
}

func isNamed(port networkingv1.NetworkPolicyPort) bool {
	return port.Port != nil && port.Port.Type == intstr.String
}

func isIPv4(cidr string) bool {
	prefix, err := netip.ParsePrefix(cidr)
	return err == nil && prefix.Addr().Is4()
}

// selects says no to a selector that cannot be read: the API server refuses those.
func selects(selector *metav1.LabelSelector, of labels.Set) bool {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(of)
}

// Sorted, so that the same objects always make the same table and an unchanged one is not loaded again.
func sortedPods(pods []*corev1.Pod) []*corev1.Pod {
	sorted := slices.Clone(pods)
	sort.Slice(sorted, func(a, b int) bool { return sorted[a].Status.PodIP < sorted[b].Status.PodIP })
	return sorted
}

func sortedPolicies(policies []*networkingv1.NetworkPolicy) []*networkingv1.NetworkPolicy {
	sorted := slices.Clone(policies)
	sort.Slice(sorted, func(a, b int) bool {
		return sorted[a].Namespace+"/"+sorted[a].Name < sorted[b].Namespace+"/"+sorted[b].Name
	})
	return sorted
}
