{{/* The name of everything that the chart makes. Network policies of shops let this pod in, by its labels. */}}
{{- define "bigtix.name" -}}
bigtix-operator
{{- end }}

{{- define "bigtix.selector" -}}
app.kubernetes.io/name: bigtix-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "bigtix.labels" -}}
{{ include "bigtix.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "bigtix.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
