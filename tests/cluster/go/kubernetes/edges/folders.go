package main

import (
	"context"
	"errors"
	"log"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
)

const (
	provisioner   = "bigtix.test/folder"
	askedOf       = "volume.kubernetes.io/storage-provisioner"
	provisionedBy = "pv.kubernetes.io/provisioned-by"
)

// folders gives each claim a folder of the node as its volume. Kubernetes' own provisioner does the same with volumes of
// the type hostPath, which stay root's whatever fsGroup a pod asks for; those of the type local become the group's.
type folders struct {
	client  kubernetes.Interface
	claims  corelisters.PersistentVolumeClaimLister
	volumes corelisters.PersistentVolumeLister
	changes <-chan struct{}
	root    string
	node    string
}

func newFolders(client kubernetes.Interface, w *watch, root, node string) *folders {
	core := w.factory.Core().V1()
	return &folders{
		client:  client,
		claims:  core.PersistentVolumeClaims().Lister(),
		volumes: core.PersistentVolumes().Lister(),
		changes: w.changes(core.PersistentVolumeClaims().Informer(), core.PersistentVolumes().Informer()),
		root:    root,
		node:    node,
	}
}

func (f *folders) run(ctx context.Context) {
	each(ctx, f.changes, 10*time.Millisecond, func() error { return f.apply(ctx) }, func(err error) { log.Print("folders: ", err) })
}

func (f *folders) apply(ctx context.Context) error {
	claims, err := f.claims.List(labels.Everything())
	if err != nil {
		return err
	}
	volumes, err := f.volumes.List(labels.Everything())
	if err != nil {
		return err
	}
	var failures []error
	for _, claim := range claims {
		// Kubernetes writes the annotation when it is time: for a class that waits, when the pod has a node.
		if claim.Spec.VolumeName == "" && claim.Annotations[askedOf] == provisioner {
			failures = append(failures, f.provide(ctx, claim))
		}
	}
	claimed := map[string]*corev1.PersistentVolumeClaim{}
	for _, claim := range claims {
		claimed[string(claim.UID)] = claim
	}
	for _, volume := range volumes {
		if claim := claimedBy(volume, claimed); claim != nil {
			failures = append(failures, f.grow(ctx, volume, claim))
		}
		released := volume.Status.Phase == corev1.VolumeReleased && volume.Annotations[provisionedBy] == provisioner
		if released && volume.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete {
			failures = append(failures, f.remove(ctx, volume))
		}
	}
	return errors.Join(failures...)
}

func (f *folders) provide(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	volume := f.volumeFor(claim)
	if err := os.MkdirAll(volume.Spec.Local.Path, 0o755); err != nil {
		return err
	}
	_, err := f.client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func (f *folders) volumeFor(claim *corev1.PersistentVolumeClaim) *corev1.PersistentVolume {
	name := "pvc-" + string(claim.UID)
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{provisionedBy: provisioner}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      claim.Spec.Resources.Requests,
			AccessModes:                   claim.Spec.AccessModes,
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
			StorageClassName:              *claim.Spec.StorageClassName,
			VolumeMode:                    claim.Spec.VolumeMode,
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				Local: &corev1.LocalVolumeSource{Path: filepath.Join(f.root, name)},
			},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{
					Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{f.node},
				}},
			}}}},
		},
	}
}

func claimedBy(volume *corev1.PersistentVolume, claims map[string]*corev1.PersistentVolumeClaim) *corev1.PersistentVolumeClaim {
	if volume.Spec.ClaimRef == nil || volume.Status.Phase != corev1.VolumeBound || volume.Annotations[provisionedBy] != provisioner {
		return nil
	}
	return claims[string(volume.Spec.ClaimRef.UID)]
}

// grow says of a volume and its claim that they are as large as is asked for: a folder has no size that could be changed.
func (f *folders) grow(ctx context.Context, volume *corev1.PersistentVolume, claim *corev1.PersistentVolumeClaim) error {
	asked := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	if size := volume.Spec.Capacity[corev1.ResourceStorage]; size.Cmp(asked) < 0 {
		larger := volume.DeepCopy()
		larger.Spec.Capacity[corev1.ResourceStorage] = asked
		if _, err := f.client.CoreV1().PersistentVolumes().Update(ctx, larger, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	// Before the claim has a size it is not bound yet, and Kubernetes writes the first one.
	size, sized := claim.Status.Capacity[corev1.ResourceStorage]
	if !sized || size.Cmp(asked) >= 0 {
		return nil
	}
	larger := claim.DeepCopy()
	larger.Status.Capacity[corev1.ResourceStorage] = asked
	larger.Status.Conditions = nil
	_, err := f.client.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(ctx, larger, metav1.UpdateOptions{})
	return err
}

func (f *folders) remove(ctx context.Context, volume *corev1.PersistentVolume) error {
	// Built from the name, not read from the object: nobody may have another folder removed by changing it.
	if err := os.RemoveAll(filepath.Join(f.root, volume.Name)); err != nil {
		return err
	}
	err := f.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
