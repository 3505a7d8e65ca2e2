"""Calls one address at a constant rate, each time over a new connection, and reports the answers.

    python3 constant-load.py HOST PORT RATE SECONDS REQUESTS

REQUESTS is a JSON list of [method, path, body], sent in turn. It ends after SECONDS, or at SIGTERM. Each second, and at the end, it
prints one line of JSON. The rate does not depend on the answers: a client that waits for its last answer would call a broken service
less often, and so count fewer failures.
"""

import http.client
import json
import signal
import sys
import threading
import time

host, port, rate, limit = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
requests = json.loads(sys.argv[5])

ANSWER_WITHIN = 15  # seconds
REACHABLE_WITHIN = 30  # seconds, for the node to learn of the address
REPORTED = 20  # failures; there may be thousands

over = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: over.set())
lock = threading.Lock()
counts = {"sent": 0, "failed": 0, "slowestMs": 0, "longestGapMs": 0}
failures = []


def call(method, path, body):
    """Returns what went wrong, or None."""
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_WITHIN)
    headers = {"Connection": "close", "Content-Type": "application/json"}
    try:
        connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
        answer = connection.getresponse()
        answer.read()
        return None if answer.status == 200 else f"{method} {path}: HTTP {answer.status}"
    except (OSError, http.client.HTTPException) as error:
        return f"{method} {path}: {type(error).__name__}: {error}"
    finally:
        connection.close()


def call_and_count(request):
    global answered_at
    began = time.monotonic()
    wrong = call(*request)
    now = time.monotonic()
    with lock:
        counts["sent"] += 1
        counts["slowestMs"] = max(counts["slowestMs"], round((now - began) * 1000))
        if wrong is None:
            counts["longestGapMs"] = max(counts["longestGapMs"], round((now - answered_at) * 1000))
            answered_at = now
            return
        counts["failed"] += 1
        if len(failures) < REPORTED:
            failures.append({"afterMs": round((began - start) * 1000), "what": wrong})


def report(done):
    with lock:
        print(json.dumps({**counts, "failures": failures, "done": done}), flush=True)


# Not under test: a node that does not know the Service yet. Counting begins with the first answer, if there is one.
reachable_by = time.monotonic() + REACHABLE_WITHIN
while call(*requests[0]) is not None and time.monotonic() < reachable_by:
    if over.wait(0.2):
        break

start = answered_at = time.monotonic()
started = []
for number in range(int(rate * limit)):
    if over.wait(max(0, start + number / rate - time.monotonic())):
        break
    thread = threading.Thread(target=call_and_count, args=(requests[number % len(requests)],))
    thread.start()
    started.append(thread)
    if number % int(rate) == 0:
        started = [t for t in started if t.is_alive()]
        report(done=False)
for thread in started:
    thread.join()
report(done=True)
