"""Sends events by Segment's client for Python; see `Client.run` in tests/support/clients.py for the arguments."""

import os
import sys
from datetime import datetime, timedelta

from segment.analytics.client import Client

host, key, count, start, gzip, world, ending = sys.argv[1:]
failed = []
client = Client(key, host=host, gzip=gzip == "gzip", on_error=lambda _error, batch: failed.extend(batch))
for number in range(int(count)):
    at = datetime.fromisoformat(start) + timedelta(seconds=number)
    block, place = divmod(number, 200)
    if place == min(int(count), 200) // 2:
        client.group(f"{world}-user-{block}", f"{world}-{block}", {"name": "Acme Corp"}, timestamp=at)
    client.track(f"{world}-user-{block}", "seen", {"number": number}, timestamp=at, message_id=f"m-{number}")
if ending == "crash":
    while client.queue.qsize() > int(count) // 2:
        pass
    os._exit(9)
client.flush()
client.join()
sys.stdout.write(str(len(failed)))
