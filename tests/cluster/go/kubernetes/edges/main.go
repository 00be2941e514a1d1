// What a cluster needs at its edges and Kubernetes leaves to others: network policies and volumes on the node
// (`edges node`), and an ingress (`edges ingress`).
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: edges node|ingress [flags]"))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "the file that says how to reach the API server; none inside of a pod")
	switch os.Args[1] {
	case "node":
		volumes := flags.String("volumes", "", "the folder of the volumes")
		node := flags.String("node", "", "the node that the volumes are on")
		_ = flags.Parse(os.Args[2:])
		client := connect(*kubeconfig)
		watch := newWatch(client)
		policies, folders := newPolicies(client, watch), newFolders(client, watch, *volumes, *node)
		watch.start(ctx)
		go folders.run(ctx)
		policies.run(ctx)
	case "ingress":
		address := flags.String("address", "", "the address that is written into the status of each Ingress")
		folder := flags.String("folder", "/tmp/nginx", "the folder of nginx's files")
		_ = flags.Parse(os.Args[2:])
		client := connect(*kubeconfig)
		watch := newWatch(client)
		ingress := newIngress(client, watch, *address, *folder)
		watch.start(ctx)
		fail(ingress.run(ctx))
	default:
		fail(fmt.Errorf("there is no command %q; use node or ingress", os.Args[1]))
	}
}

func connect(kubeconfig string) kubernetes.Interface {
	config, err := rest.InClusterConfig()
	if kubeconfig != "" {
		config, err = clientcmd.BuildConfigFromFlags("", kubeconfig)
	}
	fail(err)
	config.QPS, config.Burst = 100, 200
	client, err := kubernetes.NewForConfig(config)
	fail(err)
	return client
}

func fail(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
