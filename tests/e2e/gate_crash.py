"""Kills a driftd with a gate again and again while records come, and counts what readers of its topics get.

    scripts/crash_test gate --kills 200 [--seed 1] [--rate 1500] [--naive]

Records go to a real Kafka all the while; driftd gets SIGKILL at random moments and is started again. At the
end a reader of committed records reads the valid and the invalid topic. Counted are, against what was sent:
records lost, double, in the wrong topic, and out of the order of their key. Ends with 0 when all are 0.
--naive reads what a gate without transactions would have left: then records must be double.
"""
import argparse
import collections
import json
import os
import random
import sys
import time

import crash
import plant
from driftd import Driftd
from kafka_readers import committed_to_the_end, read_all

CHECKS = [{"check": "in_range", "field": "temperature", "min": 0, "max": 50},
          {"check": "not_null", "field": "temperature"}]

Counts = collections.namedtuple("Counts", "sent kills lost double misplaced disordered damaged")


class GateBroker(crash.KafkaBroker):
    """Some of the records are no JSON; what they are is told by their timestamps then."""

    def __enter__(self):
        super().__enter__()
        for kind in ("valid", "invalid"):
            self.server.create_topic(f"{self.topic}.{kind}", partitions=crash.PARTITIONS)
        return self

    def _value(self, record):
        return b"{" if broken(number_of(record["ts"])) else super()._value(record)


def broken(number):
    return number % 53 == 5


def number_of(timestamp):
    return (timestamp - plant.START) // crash.STEP


def kind_of(number):
    """Where the record belongs."""
    temperature = crash.row(number)["temperature"]
    return "invalid" if broken(number) or temperature is None or temperature > 50 else "valid"


def config(source):
    gate = {"valid": "crash.valid", "invalid": "crash.invalid", "commit_every": "30ms"}
    return plant.config(CHECKS, source=source, stream_gate=gate, service={"checkpoint_every": "300ms"})


def run(kills, seed=1, rate=1500, naive=False, damage=False, say=print, life=1):
    with GateBroker() as broker:
        settings = config(broker.source("gated", False))
        with Driftd(settings) as service:
            return kill_and_compare(broker, service, settings, kills, seed, rate, naive, damage, say, life)


def kill_and_compare(broker, service, settings, kills, seed, rate, naive, damage, say, life):
    service.wait_ready()
    service.kill()
    sender = crash.Sender(broker, rate, late=False)  # each record has a time of its own here
    begin = time.monotonic()
    sender.start()
    damaged = crash.disturb(service, settings, kills, False, random.Random(seed), damage, life)
    service.start()
    count = sender.finish() + crash.SENSORS  # with the last ones
    say(f"gate: {count} records sent, {kills} kills in {time.monotonic() - begin:.0f} s (seed {seed}), {damaged} checkpoints damaged")
    service.wait(lambda: committed_to_the_end(broker.server, broker.topic, "gated"), "all forwarded", 120)
    isolation = "read_uncommitted" if naive else "read_committed"
    return compare({kind: read_all(broker.server, f"{broker.topic}.{kind}", isolation)
                    for kind in ("valid", "invalid")}, count, kills, damaged)


def compare(messages, count, kills, damaged):
    came, misplaced, disordered = collections.Counter(), 0, 0
    for kind, of_topic in messages.items():
        newest = {}
        for message in of_topic:
            at = message.timestamp()[1]
            came[at] += 1
            misplaced += kind != kind_of(number_of(at))
            disordered += at <= newest.get(message.key(), 0)
            newest[message.key()] = at
    sent = count - crash.SENSORS
    expected = [plant.START + n * crash.STEP for n in range(sent)] + [row["ts"] for row in crash.last_rows(sent)]
    double = sum(n - 1 for n in came.values())
    return Counts(count, kills, sum(at not in came for at in expected), double, misplaced, disordered, damaged)


def main():
    parser = argparse.ArgumentParser(prog="scripts/crash_test gate", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(2), "big"))
    parser.add_argument("--rate", type=int, default=1500, help="records a second")
    parser.add_argument("--naive", action="store_true", help="reads uncommitted records too: must count double ones")
    parser.add_argument("--damage", action="store_true", help="break the newest checkpoint behind each kill")
    counts = run(**vars(parser.parse_args()))
    print(f"lost {counts.lost}, double {counts.double}, in the wrong topic {counts.misplaced}, "
          f"out of order {counts.disordered}")
    return 1 if counts.lost or counts.double or counts.misplaced or counts.disordered else 0


if __name__ == "__main__":
    sys.exit(main())
