{{- define "clearinghouse.name" -}}
{{ .Release.Name | trunc 53 | trimSuffix "-" }}
{{- end }}

{{- define "clearinghouse.labels" -}}
app.kubernetes.io/name: clearinghouse
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: {{ .Values.settings.role }}
{{- end }}

{{- define "clearinghouse.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "clearinghouse.environment" -}}
env:
  {{- range $name, $value := .Values.settings }}
  - name: CLEARINGHOUSE_{{ $name | upper }}
    value: {{ if kindIs "string" $value }}{{ $value | quote }}{{ else }}{{ $value | toJson | quote }}{{ end }}
  {{- end }}
  {{- if .Values.tls.enabled }}
  - name: CLEARINGHOUSE_CERTIFICATE
    value: /tls/tls.crt
  - name: CLEARINGHOUSE_PRIVATE_KEY
    value: /tls/tls.key
  {{- else }}
  - name: CLEARINGHOUSE_PLAIN_HTTP
    value: "true"
  - name: CLEARINGHOUSE_TRUST_FORWARDED
    value: "true"
  {{- end }}
  {{- if .Values.tls.caConfigMap }}
  - name: CLEARINGHOUSE_CA_BUNDLE
    value: /ca/ca.pem
  {{- end }}
  {{- if .Values.evseConfigMap }}
  - name: CLEARINGHOUSE_EVSE_FILE
    value: /evses/evses.csv
  {{- end }}
envFrom:
  - secretRef:
      name: {{ required "secretName is needed" .Values.secretName }}
{{- end }}

{{- define "clearinghouse.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
