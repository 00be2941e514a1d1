package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"text/template"
	"time"
)

// configure returns nginx's configuration, and the certificates that it names by their files.
func configure(o objects, folder string) (string, map[string][]byte) {
	servers, upstreams, certificates := sites(o)
	var text strings.Builder
	err := configuration.Execute(&text, map[string]any{"Folder": folder, "Sites": servers, "Upstreams": upstreams})
	fail(err)
	return text.String(), certificates
}

// A request goes to another pod only if that cannot make it happen twice. For POST and PATCH nginx sees to it: it tries
// again only what it has not sent. PUT and DELETE it takes for repeatable, so they go to locations that try once each, and
// from one to the next only as long as no byte was sent.
//
// Connections of clients are not kept: nginx 1.22 closes those that idle when it reloads, even if a request is on its way.
var configuration = template.Must(template.New("nginx").Parse(`
{{- define "proxy"}}
   client_max_body_size {{.BodySize}};
   proxy_read_timeout {{.ReadTimeout}}s;
   proxy_send_timeout {{.ReadTimeout}}s;
   proxy_pass http://{{.Upstream}};
{{- end}}
{{- define "locations"}}
{{- range .Locations}}
  location {{.Match}} {
{{- if .Upstream}}
   error_page 599 = @{{.Name}}-1;
   if ($once) { return 599; }
{{- template "proxy" .}}
  }
  location @{{.Name}}-1 {
   error_page 502 504 = @{{.Name}}-2;
   proxy_next_upstream off;
{{- template "proxy" .}}
  }
  location @{{.Name}}-2 {
   if ($upstream_bytes_sent ~ "[1-9]") { return 502; }
   error_page 502 504 = @{{.Name}}-3;
   proxy_next_upstream off;
{{- template "proxy" .}}
  }
  location @{{.Name}}-3 {
   if ($upstream_bytes_sent ~ "[1-9]") { return 502; }
   proxy_next_upstream off;
{{- template "proxy" .}}
{{- else}}
   return 503;
{{- end}}
  }
{{- end}}
{{- if not .HasRoot}}
  location / { return 404; }
{{- end}}
{{- end -}}
pid {{.Folder}}/nginx.pid;
error_log stderr warn;
worker_processes 2;
worker_shutdown_timeout 60s;
events { worker_connections 4096; }
http {
 log_format requests '$time_iso8601 $status $request_method $host $request_uri from=$remote_addr to=$upstream_addr '
  'upstream=$upstream_status seconds=$request_time id=$passed_id';
 access_log /dev/stdout requests;
 client_body_temp_path {{.Folder}}/body;
 proxy_temp_path {{.Folder}}/proxy;
 fastcgi_temp_path {{.Folder}}/fastcgi;
 uwsgi_temp_path {{.Folder}}/uwsgi;
 scgi_temp_path {{.Folder}}/scgi;
 server_tokens off;
 server_names_hash_bucket_size 256;
 keepalive_timeout 0;
 recursive_error_pages on;

 map $http_x_request_id $passed_id { "" $request_id; default $http_x_request_id; }
 map $http_upgrade $connection_upgrade { "" ""; default upgrade; }
 map $request_method $once { PUT 1; DELETE 1; default ""; }

 proxy_http_version 1.1;
 proxy_buffering off;
 proxy_connect_timeout 2s;
 proxy_next_upstream error timeout;
 proxy_next_upstream_tries 3;
 proxy_set_header Host $http_host;
 proxy_set_header Connection $connection_upgrade;
 proxy_set_header Upgrade $http_upgrade;
 proxy_set_header X-Request-ID $passed_id;
 proxy_set_header X-Real-IP $remote_addr;
 proxy_set_header X-Forwarded-For $remote_addr;
 proxy_set_header X-Forwarded-Host $http_host;
 proxy_set_header X-Forwarded-Proto $scheme;
{{range .Upstreams}}
 upstream {{.Name}} {
{{- range .Addresses}}
  server {{.}} max_fails=0;
{{- end}}
  keepalive 64;
  keepalive_timeout 4s;
 }
{{end}}
{{- $folder := .Folder}}
{{- range .Sites}}
 server {
  listen 8080{{if eq .Host "_"}} default_server{{end}};
  server_name {{.Host}};
{{- if eq .Host "_"}}
  listen 8443 ssl http2 default_server;
  ssl_certificate {{$folder}}/fallback.pem;
  ssl_certificate_key {{$folder}}/fallback.pem;
  location = /nginx-is-up { access_log off; return 200; }
{{- end}}
{{- if .Redirect}}
  return 308 https://$host$request_uri;
 }
 server {
  server_name {{.Host}};
{{- end}}
{{- if .Certificate}}
  listen 8443 ssl http2;
  ssl_certificate {{$folder}}/{{.Certificate}};
  ssl_certificate_key {{$folder}}/{{.Certificate}};
{{- end}}
{{- template "locations" .}}
 }
{{end -}}
}
`))

// HasRoot says whether something is at /.
func (s *site) HasRoot() bool {
	return slices.ContainsFunc(s.Locations, func(l *location) bool { return l.Match == quoted("/") })
}

// selfSigned is for TLS to hosts that nobody has a certificate for: without one nginx would show another host's.
func selfSigned() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "no certificate for this host"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(1, 0, 0),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), nil
}
