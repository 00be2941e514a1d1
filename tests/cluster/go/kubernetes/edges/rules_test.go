package main

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func pod(namespace, name, address string, port int32) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": name}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Ports: []corev1.ContainerPort{{Name: "main", ContainerPort: port}},
		}}},
		Status: corev1.PodStatus{PodIP: address},
	}
}

func theWorld() world {
	namespaces := []*corev1.Namespace{
		{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"kubernetes.io/metadata.name": "shop"}}},
		{ObjectMeta: metav1.ObjectMeta{Name: "edge", Labels: map[string]string{"kubernetes.io/metadata.name": "edge"}}},
	}
	pods := []*corev1.Pod{
		pod("shop", "orders", "10.0.0.1", 8000), pod("shop", "store", "10.0.0.2", 27017), pod("edge", "ingress", "10.0.0.3", 8080),
	}
	return newWorld(pods, namespaces)
}

func policy(app string, spec networkingv1.NetworkPolicySpec) *networkingv1.NetworkPolicy {
	spec.PodSelector = metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}
	return &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: app}, Spec: spec}
}

func labelled(key, value string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{key: value}}
}

func expect(t *testing.T, table string, present ...string) {
	t.Helper()
	for _, line := range present {
		if !strings.Contains(table, line) {
			t.Errorf("%q is not in\n%s", line, table)
		}
	}
}

func TestWithoutPoliciesNothingIsDropped(t *testing.T) {
	if table := rules(theWorld(), nil); strings.Contains(table, "drop") {
		t.Error(table)
	}
}

func TestAPolicyWithoutRulesDropsAllButThePodItself(t *testing.T) {
	table := rules(theWorld(), []*networkingv1.NetworkPolicy{
		policy("store", networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}}),
	})
	expect(t, table, "ip daddr vmap { 10.0.0.2 : jump ingress1 }", "ip saddr 10.0.0.2 return\n  drop")
	if strings.Contains(table, "egress0") {
		t.Error(table)
	}
}

func TestNamespacesAndNamedPortsAreResolvedAtThePodThatIsSelected(t *testing.T) {
	port := intstr.FromString("main")
	table := rules(theWorld(), []*networkingv1.NetworkPolicy{policy("orders", networkingv1.NetworkPolicySpec{
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
		Ingress: []networkingv1.NetworkPolicyIngressRule{{
			From:  []networkingv1.NetworkPolicyPeer{{NamespaceSelector: labelled("kubernetes.io/metadata.name", "edge")}},
			Ports: []networkingv1.NetworkPolicyPort{{Port: &port}},
		}},
	})})
	expect(t, table, "ip saddr { 10.0.0.3 } tcp dport 8000 return")
}

func TestEgressResolvesNamedPortsAtTheReceiver(t *testing.T) {
	port := intstr.FromString("main")
	table := rules(theWorld(), []*networkingv1.NetworkPolicy{policy("orders", networkingv1.NetworkPolicySpec{
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
		Egress: []networkingv1.NetworkPolicyEgressRule{{
			To:    []networkingv1.NetworkPolicyPeer{{PodSelector: labelled("app", "store")}},
			Ports: []networkingv1.NetworkPolicyPort{{Port: &port}},
		}},
	})})
	expect(t, table, "ip daddr 10.0.0.2 tcp dport 27017 return", "chain input")
	if strings.Count(table, "ip saddr vmap { 10.0.0.1 : jump egress0 }") != 2 {
		t.Errorf("what a pod sends has to be judged on its way to pods and to the node:\n%s", table)
	}
}

func TestBlocksKeepTheirExceptionsAndRangesOfPorts(t *testing.T) {
	from, to, udp := intstr.FromInt32(1000), int32(2000), corev1.ProtocolUDP
	table := rules(theWorld(), []*networkingv1.NetworkPolicy{policy("orders", networkingv1.NetworkPolicySpec{
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
		Egress: []networkingv1.NetworkPolicyEgressRule{{
			To:    []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: "0.0.0.0/0", Except: []string{"10.0.0.0/8"}}}},
			Ports: []networkingv1.NetworkPolicyPort{{Port: &from, EndPort: &to, Protocol: &udp}},
		}},
	})})
	expect(t, table, "ip daddr 0.0.0.0/0 ip daddr != 10.0.0.0/8 udp dport 1000-2000 return")
}

func TestAPeerThatNobodyIsAllowsNobody(t *testing.T) {
	table := rules(theWorld(), []*networkingv1.NetworkPolicy{policy("store", networkingv1.NetworkPolicySpec{
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
		Ingress: []networkingv1.NetworkPolicyIngressRule{{
			From: []networkingv1.NetworkPolicyPeer{{PodSelector: labelled("app", "nobody")}},
		}},
	})})
	expect(t, table, "ip saddr 10.0.0.2 return\n  drop")
}

func TestOfTwoPodsWithOneAddressTheNewerHasIt(t *testing.T) {
	older, newer := pod("shop", "older", "10.0.0.9", 1), pod("shop", "newer", "10.0.0.9", 1)
	newer.CreationTimestamp = metav1.Unix(1, 0)
	for _, pods := range [][]*corev1.Pod{{older, newer}, {newer, older}} {
		if found := newWorld(pods, nil).pods; len(found) != 1 || found[0].Name != "newer" {
			t.Error(found)
		}
	}
}
