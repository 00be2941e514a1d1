package main

import (
	"context"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// watch tells listeners that something changed, never what: each works the whole of its state out anew, so that
// nothing can be missed and a restart needs no memory.
type watch struct {
	factory informers.SharedInformerFactory
	synced  []cache.InformerSynced
}

func newWatch(client kubernetes.Interface) *watch {
	return &watch{factory: informers.NewSharedInformerFactory(client, 0)}
}

// changes returns a channel that holds at most one word, whatever number of changes there were since it was read.
func (w *watch) changes(of ...cache.SharedIndexInformer) <-chan struct{} {
	changed := make(chan struct{}, 1)
	changed <- struct{}{}
	tell := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	for _, informer := range of {
		handler, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { tell() },
			UpdateFunc: func(any, any) { tell() },
			DeleteFunc: func(any) { tell() },
		})
		fail(err)
		w.synced = append(w.synced, handler.HasSynced)
	}
	return changed
}

func (w *watch) start(ctx context.Context) {
	w.factory.Start(ctx.Done())
	cache.WaitForCacheSync(ctx.Done(), w.synced...)
}

// each calls do after every change, and again when it failed; changes that follow closely are taken together.
func each(ctx context.Context, changes <-chan struct{}, gather time.Duration, do func() error, failed func(error)) {
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-changes:
		case <-again:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(gather):
		}
		again = nil
		if err := do(); err != nil {
			failed(err)
			again = time.After(time.Second)
		}
	}
}
