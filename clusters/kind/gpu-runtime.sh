#!/bin/sh
# Stand-in for NVIDIA's container runtime, called by containerd instead of runc on a kind node.
#
# Like the real one, it gives a container the GPUs that NVIDIA_VISIBLE_DEVICES requests (all, none, or a list of indexes and names), as
# /dev/nvidia0 and so on. A container without the variable gets none. The GPUs are files in the folder below that contain the GPU's name.
# It adds mounts and not environment variables, because commands executed in a running container see only the mounts.
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

# containerd reports the last line of the log as the error.
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
  # Overwrites the file in place to keep its owner and mode.
  cat "$config.new" > "$config"
  rm "$config.new"
}

if [ -n "$is_create" ]; then add_gpus || fail 'the stand-in for the NVIDIA runtime could not add GPUs'; fi
exec runc "$@"
