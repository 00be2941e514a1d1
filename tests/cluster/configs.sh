# The configuration files of the node's programs; read by up.sh.
# shellcheck shell=bash

write_configs() {
  mkdir -p "$STATE/cni"
  # With dnsPolicy Default a pod shall not see the resolver of this machine.
  echo 'nameserver 127.0.0.1' >"$STATE/resolv.conf"
  containerd_config >"$STATE/containerd.toml"
  cni_config >"$STATE/cni/10-bigtix.conflist"
  kubelet_config >"$STATE/kubelet.yaml"
  proxy_config >"$STATE/proxy.yaml"
}

containerd_config() {
  # Without restrict_oom_score_adj runc dies on machines that withhold CAP_SYS_RESOURCE. Namespaces of pods are kept
  # in the state folder, so that down.sh finds them.
  cat <<END
version = 2
root = "$STATE/containerd/root"
state = "$STATE/containerd/run"
[grpc]
  address = "$STATE/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$STATE/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "bigtix.test/pause:cluster"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$STATE/cni"
END
}

# Routed, not bridged: so all that pods say to each other passes the forward hook, where the network policies are.
cni_config() {
  cat <<END
{"cniVersion": "0.4.0", "name": "bigtix-pods", "plugins": [
  {"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local", "dataDir": "$STATE/addresses",
    "ranges": [[{"subnet": "$POD_RANGE"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "snat": true, "capabilities": {"portMappings": true}}]}
END
}

kubelet_config() {
  cat <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: "$STATE/keys/ca.crt"}}
authorization: {mode: Webhook}
tlsCertFile: "$STATE/keys/kubelet.crt"
tlsPrivateKeyFile: "$STATE/keys/kubelet.key"
cgroupDriver: cgroupfs
cgroupRoot: /$CGROUP
clusterDNS: [$DNS_ADDRESS]
clusterDomain: cluster.local
containerRuntimeEndpoint: "unix://$STATE/containerd.sock"
podLogsDir: "$STATE/log/pods"
volumePluginDir: "$STATE/kubelet/plugins"
resolvConf: "$STATE/resolv.conf"
oomScoreAdj: 0
failSwapOn: false
evictionHard: {memory.available: "100Mi", nodefs.available: "1%", imagefs.available: "1%", nodefs.inodesFree: "1%"}
# No registry could give back an image that was cleaned away.
imageGCHighThresholdPercent: 100
maxPods: 200
serializeImagePulls: false
syncFrequency: 10s
END
}

proxy_config() {
  cat <<END
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clusterCIDR: $POD_RANGE
oomScoreAdj: 0
clientConnection: {kubeconfig: "$STATE/proxy.kubeconfig"}
# Limits of connection tracking belong to the machine, not to this node.
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
END
}
