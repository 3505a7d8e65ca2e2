# Calls each target at a constant rate, every time over a new connection, until /tmp/stop exists.
#
#   sh -c SCRIPT load INTERVAL MOST HOST PORT PATH [HOST PORT PATH …]
#
# Writes the outcome of each request as a line "NUMBER OUTCOME" to /tmp/outcomes.TARGET: an HTTP status, or what went wrong. Number 0 is
# the first answer, before the count starts. Writes the number of requests to /tmp/sent, and "done" when all have ended. The rate does not
# depend on the answers. busybox wget cannot be used: it follows redirects, and some builds resolve no names.

interval=$1; most=$2; shift 2

# The program that nc connects to a server. It closes nothing before the server does: some servers drop the answer to a half-closed
# connection.
cat > /tmp/talk <<'TALK'
printf 'GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: kindproof\r\nConnection: close\r\n\r\n' "$2" "$1"
if read -t 15 -r line; then
  set -- "$1" "$2" "$3" "$4" $line
  busybox timeout 15 cat > /dev/null
  case $? in
    0 | 124 | 143) echo "$4 ${6:-?}" >> "$3" ;;
    *) echo "$4 the connection broke within the answer" >> "$3" ;;
  esac
else
  echo "$4 no answer" >> "$3"
fi
exit 0
TALK

call() { # NUMBER TARGET HOST PORT PATH
  said=$(busybox nc -w 10 "$3" "$4" -e /bin/sh /tmp/talk "$3" "$5" "/tmp/outcomes.$2" "$1" 2>&1) ||
    echo "$1 ${said:-no connection}" >> "/tmp/outcomes.$2"
}

each() { # NUMBER
  number=$1; target=0; shift
  while [ $# -gt 0 ]; do
    if [ "$number" = 0 ]; then first "$target" "$1" "$2" "$3"; else call "$number" "$target" "$1" "$2" "$3" & fi
    target=$((target + 1)); shift 3
  done
}

# Not under test: a node that does not know the Service yet.
first() { # TARGET HOST PORT PATH
  until=$(($(date +%s) + 40))
  while [ "$(date +%s)" -lt $until ]; do
    rm -f "/tmp/outcomes.$1"
    call 0 "$@"
    case $(cat "/tmp/outcomes.$1") in '0 '[1-5][0-9][0-9]) return ;; esac
    sleep 0.5
  done
}

each 0 "$@"
echo 0 > /tmp/sent
sent=0
while [ ! -e /tmp/stop ] && [ $sent -lt "$most" ]; do
  sent=$((sent + 1))
  each $sent "$@"
  echo $sent > /tmp/sent
  sleep "$interval"
done
wait
echo done > /tmp/ended
while :; do sleep 3600; done
