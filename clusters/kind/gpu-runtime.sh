#!/bin/sh
# Stand-in for NVIDIA's container runtime, between containerd and runc on a node of kind.
#
# Like that, it gives a container the GPUs which the container asks for in NVIDIA_VISIBLE_DEVICES (all, none, or a list of indexes and
# names), as /dev/nvidia0 and so on; a container that does not ask gets none. The GPUs are files in this folder, one each, with
# the GPU's name in it. Mounts, not variables: what is executed in a running container sees those, but not variables that are added here.
set -eu

gpus=/etc/kindproof/gpus

is_create= bundle=. log= previous=
for argument do
  case $previous in
    --bundle | -b) bundle=$argument ;;
    --log) log=$argument ;;
  esac
  case $argument in
    create | run) is_create=yes ;;
    --bundle=*) bundle=${argument#*=} ;;
  esac
  previous=$argument
done

# containerd shows the last line of the log as the reason.
fail() {
  [ -z "$log" ] || printf '{"level":"error","msg":"%s"}\n' "$1" >> "$log"
  echo "$1" >&2
  exit 1
}

add_gpus() {
  config=$bundle/config.json
  asked=$(jq -r '[.process.env[]? | select(startswith("NVIDIA_VISIBLE_DEVICES="))] | last // "=none" | sub("^[^=]*="; "")' "$config") || return
  case $asked in '' | none | void) return ;; esac
  mounts='[]'
  for file in "$gpus"/nvidia*; do
    [ -f "$file" ] || continue
    index=${file##*/nvidia}
    case ",$asked," in
      ,all, | *",$index,"* | *",$(cat "$file"),"*) ;;
      *) continue ;;
    esac
    mounts=$(echo "$mounts" | jq -c --arg from "$file" --arg to "/dev/nvidia$index" \
      '. + [{source: $from, destination: $to, type: "bind", options: ["bind", "ro", "nosuid", "noexec"]}]')
  done
  jq -c --argjson mounts "$mounts" '.mounts += $mounts' "$config" > "$config.new"
  # In place: the file keeps its owner and mode.
  cat "$config.new" > "$config"
  rm "$config.new"
}

if [ -n "$is_create" ]; then add_gpus || fail 'the stand-in for the NVIDIA runtime could not add GPUs'; fi
exec runc "$@"
