package main

import (
	"context"
	"log"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	networkinglisters "k8s.io/client-go/listers/networking/v1"
)

// policies turns NetworkPolicy objects into one table of nftables.
type policies struct {
	pods       corelisters.PodLister
	namespaces corelisters.NamespaceLister
	policies   networkinglisters.NetworkPolicyLister
	changes    <-chan struct{}
	applied    string
}

func newPolicies(_ kubernetes.Interface, w *watch) *policies {
	core, networking := w.factory.Core().V1(), w.factory.Networking().V1()
	return &policies{
		pods:       core.Pods().Lister(),
		namespaces: core.Namespaces().Lister(),
		policies:   networking.NetworkPolicies().Lister(),
		changes: w.changes(core.Pods().Informer(), core.Namespaces().Informer(),
			networking.NetworkPolicies().Informer()),
	}
}

func (p *policies) run(ctx context.Context) {
	each(ctx, p.changes, 10*time.Millisecond, p.apply, func(err error) { log.Print("policies: ", err) })
}

func (p *policies) apply() error {
	pods, err := p.pods.List(labels.Everything())
	if err != nil {
		return err
	}
	namespaces, err := p.namespaces.List(labels.Everything())
	if err != nil {
		return err
	}
	wanted, err := p.policies.List(labels.Everything())
	if err != nil {
		return err
	}
	table := rules(newWorld(pods, namespaces), wanted)
	if table == p.applied {
		return nil
	}
	nft := exec.Command("nft", "-f", "-")
	nft.Stdin = strings.NewReader(table)
	if said, err := nft.CombinedOutput(); err != nil {
		log.Printf("nft: %s", said)
		return err
	}
	p.applied = table
	log.Printf("policies: %d apply", len(wanted))
	return nil
}

// world is what selectors choose from.
type world struct {
	pods       []*corev1.Pod
	namespaces map[string]labels.Set
}

// newWorld leaves out pods that have no address of their own. Of two that are said to have the same, the newer has it.
func newWorld(pods []*corev1.Pod, namespaces []*corev1.Namespace) world {
	w := world{namespaces: map[string]labels.Set{}}
	for _, namespace := range namespaces {
		w.namespaces[namespace.Name] = namespace.Labels
	}
	holders := map[string]*corev1.Pod{}
	for _, pod := range pods {
		over := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
		if pod.Status.PodIP == "" || pod.Spec.HostNetwork || over {
			continue
		}
		holder, held := holders[pod.Status.PodIP]
		if !held || holder.CreationTimestamp.Before(&pod.CreationTimestamp) {
			holders[pod.Status.PodIP] = pod
		}
	}
	w.pods = slices.Collect(maps.Values(holders))
	return w
}

// peers returns the pods that a peer without an ipBlock means.
func (w world) peers(home string, peer networkingv1.NetworkPolicyPeer) []*corev1.Pod {
	var found []*corev1.Pod
	for _, pod := range w.pods {
		if peer.NamespaceSelector == nil && pod.Namespace != home {
			continue
		}
		if peer.NamespaceSelector != nil && !selects(peer.NamespaceSelector, w.namespaces[pod.Namespace]) {
			continue
		}
		if peer.PodSelector != nil && !selects(peer.PodSelector, pod.Labels) {
			continue
		}
		found = append(found, pod)
	}
	return found
}
