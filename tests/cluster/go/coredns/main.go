// CoreDNS with the few plugins that a cluster needs; all of them together bring in the clients of every cloud.
package main

import (
	"github.com/coredns/coredns/coremain"
	// In any order: which one is asked first is CoreDNS' own list.
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
)

func main() {
	coremain.Run()
}
