"""Kills driftd again and again while records come by HTTP, and counts what became of those that were answered.

    scripts/crash_test http --kills 100 [--seed 1] [--naive]

Several clients post bodies all the while, each of records of a sensor of its own; driftd gets SIGKILL at random
moments and is started again. A body that was answered 200 must be in the windows as a whole and once; one that was
refused, not at all; one whose connection broke may have been taken, but once and as a whole too, as nobody sends it
again here. Ends with 0 when all is so. --naive throws driftd's state away at each start: bodies must be missing.
"""
import argparse
import collections
import http.client
import itertools
import os
import random
import sys
import threading
import time

import crash
import plant
from driftd import Driftd, read_lines

CLIENTS = 4
ROWS = 7  # of a body
STEP = 10  # milliseconds of event time between bodies, so that none is late
CHECKS = [{"check": "count", "min": 0, "max": 1_000_000, "by": "sensor"}]

Counts = collections.namedtuple("Counts", "answered unknown refused kills missing partly double")


class Client(threading.Thread):
    """Sends bodies, one after the other, and notes what became of each."""

    def __init__(self, service, numbers):
        super().__init__(daemon=True)
        self.service, self.numbers, self.outcomes, self.ended = service, numbers, {}, threading.Event()

    def run(self):
        while not self.ended.is_set():
            number = next(self.numbers)
            self.outcomes[number] = self.send(number)
            if self.outcomes[number] != 200:
                time.sleep(0.02)

    def send(self, number):
        """The status; 0: nobody knows what became of it."""
        try:
            return self.service.post("/api/v1/streams/plant/records", plant.lines(rows(number)), timeout=20,
                                     headers={"Content-Type": "application/x-ndjson"}).status
        except ConnectionRefusedError:
            return 503  # it has not even come
        except (OSError, http.client.HTTPException):
            return 0


def rows(number):
    for i in range(ROWS):
        yield {"sensor": f"body{number}", "ts": plant.START + number * STEP + i, "temperature": 20.0, "status": "on"}


def config():
    return plant.config(CHECKS, service={"checkpoint_every": "300ms", "findings": {"all": True}},
                        stream_windows={"size": "10s", "lateness": "10m", "idle": "1h", "by": ["stream", "sensor"]})


def run(kills, seed=1, naive=False, say=print, life=1):
    settings = config()
    with Driftd(settings) as service:
        service.wait_ready()
        service.kill()
        numbers = itertools.count()
        clients = [Client(service, numbers) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        begin = time.monotonic()
        crash.disturb(service, settings, kills, naive, random.Random(seed), life=life)
        service.start()
        service.wait_ready(60)
        before = {client: len(client.outcomes) for client in clients}
        service.wait(lambda: all(len(c.outcomes) > n + 10 for c, n in before.items()), "all clients get on")
        for client in clients:
            client.ended.set()
        for client in clients:
            client.join()
        outcomes = {number: status for client in clients for number, status in client.outcomes.items()}
        say(f"http: {len(outcomes)} bodies of {ROWS} records, {kills} kills in {time.monotonic() - begin:.0f} s (seed {seed})")
        close_windows(service, max(outcomes))
        return compare(outcomes, read_lines(service.data_dir / "findings.jsonl"), kills)


def close_windows(service, newest):
    """Every partition gets records so much later that all windows before are judged."""
    later = plant.START + newest * STEP + 3_600_000
    for at in (later, later + 60_000):
        plant.post(service, [{"sensor": f"last{n}", "ts": at, "temperature": 20.0, "status": "on"} for n in range(400)])
    service.wait(lambda: service.metrics().get("driftd_watermark_seconds", stream="plant") * 1000 >= later - 1_800_000, "all judged", 60)


def compare(outcomes, findings, kills):
    came = collections.defaultdict(int)
    for f in findings:
        if f["check"] == "count" and f.get("segment", {}).get("by") == "sensor":
            came[f["segment"]["value"]] += f["n"]
    answered = [number for number, status in outcomes.items() if status == 200]
    unknown = [number for number, status in outcomes.items() if status == 0]
    refused = [number for number, status in outcomes.items() if status not in (0, 200)]

    def n(number):
        return came.get(f"body{number}", 0)
    return Counts(len(answered), len(unknown), len(refused), kills,
                  missing=sum(n(number) == 0 for number in answered),
                  partly=sum(n(number) % ROWS != 0 for number in outcomes),
                  double=sum(n(number) > ROWS for number in outcomes) + sum(n(number) > 0 for number in refused))


def main():
    parser = argparse.ArgumentParser(prog="scripts/crash_test http", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(2), "big"))
    parser.add_argument("--naive", action="store_true", help="without driftd's state: must lose")
    counts = run(**vars(parser.parse_args()))
    print(f"{counts.answered} bodies answered 200, {counts.unknown} without an answer, {counts.refused} refused; "
          f"missing {counts.missing}, in part {counts.partly}, double {counts.double}")
    return 1 if counts.missing or counts.partly or counts.double else 0


if __name__ == "__main__":
    sys.exit(main())
