#!/bin/bash
# Runs inside a container of the node's root file system: imports the archive of images into containerd, so that nodes start with them.
#
# docker copies the image's /var into a volume for each node. To keep that copy small, the unpacked images move out of /var: containerd
# finds links there, and all nodes share one set of files (and the page cache). The compressed originals are not kept at all.
set -euo pipefail

archive=$1
root=/var/lib/containerd
state=$(mktemp -d)

containerd --root "$root" --state "$state" > /tmp/containerd.log 2>&1 &
containerd=$!
for _ in $(seq 100); do
  ctr version > /dev/null 2>&1 && break
  sleep 0.1
done

ctr --namespace k8s.io images import --local --discard-unpacked-layers --label io.cri-containerd.pinned=pinned "$archive" || {
  cat /tmp/containerd.log >&2
  exit 1
}
# Without a collection now, the originals would stay until the first one on each node.
ctr --namespace k8s.io content prune references
ctr --namespace k8s.io images ls
kill "$containerd"
wait "$containerd" || true

mkdir -p /kind/images
for snapshot in "$root"/io.containerd.snapshotter.v1.overlayfs/snapshots/*; do
  number=${snapshot##*/}
  mv "$snapshot/fs" "/kind/images/$number"
  ln -s "/kind/images/$number" "$snapshot/fs"
done
rm -rf "$state" /tmp/containerd.log
du -sh /var /kind/images
