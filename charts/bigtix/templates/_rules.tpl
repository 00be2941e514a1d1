{{/* What the operator may do where it looks after shops; each rule with its reason. */}}
{{- define "bigtix.rules" -}}
# Shops are watched. One that is deleted stays until its final backup is complete, where it asks for one.
- apiGroups: [bigtix.dev]
  resources: [bigtixes]
  verbs: [list, watch, patch]
# What was found and done is written into their status.
- apiGroups: [bigtix.dev]
  resources: [bigtixes/status]
  verbs: [patch]
# Backups and restores are watched. The schedule makes backups and deletes those beyond what is kept; each stays until its archive is gone.
- apiGroups: [bigtix.dev]
  resources: [bigtixbackups]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [bigtix.dev]
  resources: [bigtixrestores]
  verbs: [list, watch]
- apiGroups: [bigtix.dev]
  resources: [bigtixbackups/status, bigtixrestores/status]
  verbs: [patch]
# Each is carried out by a Job.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [list, watch, create, delete]
# Children name their owner as one that must not go before them, which some clusters allow only to who may do this.
- apiGroups: [bigtix.dev]
  resources: [bigtixes/finalizers, bigtixbackups/finalizers, bigtixrestores/finalizers]
  verbs: [update]
# Passwords and keys are made once, completed, and rotated; those that users bring are looked at for their entries.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, update]
# The children of a shop are applied, mended and, when they are no longer wanted, deleted.
- apiGroups: [""]
  resources: [serviceaccounts, configmaps, services]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [deployments, statefulsets]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: [list, watch, create, patch, delete]
# Only where the cluster has these kinds.
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors, prometheusrules]
  verbs: [list, watch, create, patch, delete]
# Pods say why they are not ready.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
# Volumes grow, one is made for archives, and those of a shop that is deleted go after its final backup.
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [list, create, patch, delete]
# What happens is told.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
