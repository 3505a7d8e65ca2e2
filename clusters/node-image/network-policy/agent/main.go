// The agent that puts NetworkPolicies into effect on one node.
//
// It watches policies, pods and namespaces, and keeps one table of nftables that follows from them. Nothing passes through this process:
// while it restarts, the rules stay as they are and no traffic is cut.
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// settle is how long changes are collected before the rules are made anew.
const settle = 50 * time.Millisecond

func main() {
	log.SetFlags(log.LUTC | log.Ltime | log.Lmicroseconds)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	// kind gives the control plane's own address: no need to wait for kube-proxy.
	if endpoint := os.Getenv("CONTROL_PLANE_ENDPOINT"); endpoint != "" {
		config.Host = "https://" + endpoint
	}
	changed := make(chan struct{}, 1)
	enforcer := newEnforcer(os.Getenv("NODE_NAME"), applyWithNft)
	onChange := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	if enforcer.pods, err = watch(ctx, config, "/api", corev1.SchemeGroupVersion, "pods", &corev1.Pod{}, onChange, enforcer.forget); err != nil {
		return err
	}
	if enforcer.namespaces, err = watch(ctx, config, "/api", corev1.SchemeGroupVersion, "namespaces", &corev1.Namespace{}, onChange, nil); err != nil {
		return err
	}
	if enforcer.policies, err = watch(ctx, config, "/apis", networkingv1.SchemeGroupVersion, "networkpolicies", &networkingv1.NetworkPolicy{}, onChange, nil); err != nil {
		return err
	}
	if err := enforcer.Enforce(); err != nil {
		return err
	}
	if err := listen(ctx, enforcer); err != nil {
		return err
	}
	log.Print("enforcing")
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		if err := enforcer.Enforce(); err != nil {
			log.Print(err)
			time.AfterFunc(time.Second, onChange)
		}
		time.Sleep(settle)
	}
}

// watch keeps a copy of all objects of one kind, and returns once the first list of them is complete.
func watch(ctx context.Context, config *rest.Config, path string, group schema.GroupVersion, resource string, kind runtime.Object, onChange func(), onDelete func(any)) (cache.Store, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, networkingv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	config = rest.CopyConfig(config)
	config.APIPath, config.GroupVersion = path, &group
	config.ContentType = runtime.ContentTypeProtobuf
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	client, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, err
	}
	store, controller := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.NewListWatchFromClient(client, resource, corev1.NamespaceAll, fields.Everything()),
		ObjectType:    kind,
		Transform:     withoutBookkeeping,
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { onChange() },
			UpdateFunc: func(any, any) { onChange() },
			DeleteFunc: func(object any) {
				if onDelete != nil {
					onDelete(object)
				}
				onChange()
			},
		},
	})
	go controller.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), controller.HasSynced) {
		return nil, context.Cause(ctx)
	}
	return store, nil
}

// withoutBookkeeping drops the largest part of most objects, which no rule follows from.
func withoutBookkeeping(object any) (any, error) {
	if accessor, err := meta.Accessor(object); err == nil {
		accessor.SetManagedFields(nil)
		accessor.SetAnnotations(nil)
	}
	return object, nil
}
