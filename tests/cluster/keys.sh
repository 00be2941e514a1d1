# The cluster's certificates and the files with which its programs find the API server; read by up.sh.
# shellcheck shell=bash

make_keys() {
  local keys=$STATE/keys names
  mkdir -p "$keys"
  names=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
  new_key "$keys/ca.key"
  openssl req -x509 -new -key "$keys/ca.key" -subj /CN=bigtix-cluster -days 365 -out "$keys/ca.crt"
  new_key "$keys/accounts.key"
  openssl pkey -in "$keys/accounts.key" -pubout -out "$keys/accounts.pub"
  certificate apiserver /CN=kube-apiserver "IP:$NODE_ADDRESS,IP:127.0.0.1,IP:$API_ADDRESS,$names"
  # Named, because the API server reaches the kubelet by address and people by name.
  certificate kubelet "/O=system:nodes/CN=system:node:$NODE" "IP:$NODE_ADDRESS,DNS:$NODE"
  certificate admin /O=system:masters/CN=admin
  certificate apiserver-to-kubelet /O=system:masters/CN=apiserver-to-kubelet
  certificate front-proxy /CN=front-proxy
  certificate controllers /CN=system:kube-controller-manager
  certificate scheduler /CN=system:kube-scheduler
  certificate proxy /CN=system:kube-proxy
  certificate edges /O=system:masters/CN=bigtix-cluster:edges
  connection admin "$KUBECONFIG"
  local who
  for who in kubelet controllers scheduler proxy edges; do connection "$who" "$STATE/$who.kubeconfig"; done
}

new_key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

certificate() {
  local name=$STATE/keys/$1 subject=$2 names=${3:-}
  new_key "$name.key"
  openssl req -new -key "$name.key" -subj "$subject" |
    openssl x509 -req -CA "$STATE/keys/ca.crt" -CAkey "$STATE/keys/ca.key" -days 365 -out "$name.crt" \
      -extfile <(printf 'basicConstraints=CA:FALSE\n%s\n' "${names:+subjectAltName=$names}") 2>/dev/null
}

connection() {
  local key=$STATE/keys/$1 file=$2
  cat >"$file" <<END
apiVersion: v1
kind: Config
clusters: [{name: bigtix, cluster: {server: "https://$NODE_ADDRESS:6443", certificate-authority-data: $(base64 -w0 "$STATE/keys/ca.crt")}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$key.crt"), client-key-data: $(base64 -w0 "$key.key")}}]
contexts: [{name: bigtix, context: {cluster: bigtix, user: $1}}]
current-context: bigtix
END
  chmod 600 "$file"
}
