"""Asks one address at a constant rate, every time over a connection of its own, and tells how it was answered.

    python3 constant-load.py HOST PORT RATE SECONDS REQUESTS

REQUESTS is a JSON list of [method, path, body], asked in turn. It ends after SECONDS, or at SIGTERM. Each second, and at the end, it
prints one line of JSON. The rate is kept however slow the answers are: a client that waits for its last answer would ask a broken
service less often, and so count fewer failures.
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
KNOWN_WITHIN = 30  # seconds, for the node to come to know of the address
TOLD = 20  # failures; there may be thousands

over = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: over.set())
lock = threading.Lock()
counts = {"sent": 0, "failed": 0, "slowestMs": 0, "longestGapMs": 0}
failures = []


def ask(method, path, body):
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


def ask_and_count(request):
    global answered_at
    began = time.monotonic()
    wrong = ask(*request)
    now = time.monotonic()
    with lock:
        counts["sent"] += 1
        counts["slowestMs"] = max(counts["slowestMs"], round((now - began) * 1000))
        if wrong is None:
            counts["longestGapMs"] = max(counts["longestGapMs"], round((now - answered_at) * 1000))
            answered_at = now
            return
        counts["failed"] += 1
        if len(failures) < TOLD:
            failures.append({"afterMs": round((began - start) * 1000), "what": wrong})


def tell(done):
    with lock:
        print(json.dumps({**counts, "failures": failures, "done": done}), flush=True)


# A node that does not know of the Service yet is not what is looked at: counting begins with the first answer, if there is one.
known_by = time.monotonic() + KNOWN_WITHIN
while ask(*requests[0]) is not None and time.monotonic() < known_by:
    if over.wait(0.2):
        break

start = answered_at = time.monotonic()
asked = []
for number in range(int(rate * limit)):
    if over.wait(max(0, start + number / rate - time.monotonic())):
        break
    thread = threading.Thread(target=ask_and_count, args=(requests[number % len(requests)],))
    thread.start()
    asked.append(thread)
    if number % int(rate) == 0:
        asked = [t for t in asked if t.is_alive()]
        tell(done=False)
for thread in asked:
    thread.join()
tell(done=True)
