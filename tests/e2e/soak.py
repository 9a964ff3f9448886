"""Runs driftd for long at a high load with sensors that come and go, and says how its memory went.

    scripts/soak [--minutes 30] [--rate 6000] [--names 200000]

Records go to a real Kafka in four partitions at the rate (a second), from 2,000 sensors that stay and
NAMES new ones a minute, of which each sends one record and falls silent. Every 5 s the resident memory is
read; its slope is that of a straight line through what came after a third of the time. Ends with 0 when
every record was accepted, none is missing, and the slope is at most 1 MiB in 10 minutes.
"""
import argparse
import sys
import threading
import time

from confluent_kafka import Producer

import plant
import servers
from driftd import Driftd

PARTITIONS, STAYING = 4, 2000
SENSORS = 50_000          # a partition may hold
EVERY = 5                 # s between two looks
KEPT = 2_000_000          # records of a partition that stay in Kafka; the disk must not fill
SLOPE = 6.0               # MiB an hour that are allowed
TOPIC = "soak"


def config(kafka):
    checks = [
        {"check": "count", "min": 0, "max": 1_000_000_000, "by": ["stream"]},
        {"check": "not_null", "field": "temperature"},
        {"check": "in_range", "field": "temperature", "min": 0, "max": 50},
        {"check": "stuck_value", "field": "temperature"},
        {"check": "rate_of_change", "field": "temperature", "max": 30},
    ]
    return plant.config(
        checks, source={"kafka": {"brokers": [kafka.bootstrap], "topics": [TOPIC], "group": "soak"}},
        stream_windows={"size": "5s", "lateness": "1s", "idle": "10s", "by": ["stream", "sensor"]},
        service={"checkpoint_every": "10s", "limits": {"sensors": SENSORS, "sensor_idle": "1s"}})


class Sender(threading.Thread):
    """Sends at the rate until it is told to stop."""

    def __init__(self, kafka, rate, names):
        super().__init__(daemon=True)
        self._producer = Producer({"bootstrap.servers": kafka.bootstrap, "enable.idempotence": True, "linger.ms": 20,
                                   "batch.size": 1 << 20, "queue.buffering.max.messages": 1_000_000, "log_level": 0})
        self._rate, self._new_every = rate, max(1, round(rate * 60 / names))
        self._enough = threading.Event()
        self.count = self.names = 0
        self.error = None

    def run(self):
        try:
            begin = time.monotonic()
            while not self._enough.is_set():
                due = int((time.monotonic() - begin) * self._rate)
                self._send(min(due, self.count + self._rate))
                self._enough.wait(0.02)
            left = self._producer.flush(60)
            assert left == 0, f"{left} records that the broker did not take"
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def _send(self, until):
        now = time.time_ns() // 1_000_000
        for number in range(self.count, until):
            if number % self._new_every == 0:
                self.names += 1
                sensor = f"new-{self.names}"
            else:
                sensor = f"s{number % STAYING}"
            value = 20 + number * 7919 % 1000 / 1000
            self._producer.produce(TOPIC, b'{"sensor":"%s","ts":%d,"temperature":%.3f,"status":"on"}'
                                   % (sensor.encode(), now, value), partition=number % PARTITIONS, timestamp=now)
            if number % 1000 == 0:
                self._producer.poll(0)
        self.count = until

    def finish(self):
        self._enough.set()
        self.join()
        if self.error:
            raise self.error


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024


def slope(points):
    """Of the least-squares line, a unit of x."""
    n = len(points)
    x, y = sum(p[0] for p in points) / n, sum(p[1] for p in points) / n
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def run(minutes, rate, names, say=print):
    with servers.Kafka() as kafka:
        kafka.create_topic(TOPIC, partitions=PARTITIONS)
        with Driftd(config(kafka)) as service:
            service.wait_ready()
            sender = Sender(kafka, rate, names)
            sender.start()
            begin, points, told = time.monotonic(), [], 0
            while time.monotonic() - begin < minutes * 60:
                time.sleep(EVERY)
                at = time.monotonic() - begin
                points.append((at / 3600, resident(service.child.pid)))
                if at - told < 60:
                    continue
                told = at
                metrics = service.metrics()
                say(f"{at / 60:.0f} min: {sender.count} sent, {metrics.get('driftd_records_total', result='accepted'):.0f} "
                    f"accepted, {metrics.get('driftd_sensors_evicted_total'):.0f} sensors evicted, {points[-1][1]:.1f} MiB",
                    flush=True)
                for partition in range(PARTITIONS):
                    before = sender.count // PARTITIONS - KEPT
                    if before > 0:
                        kafka.delete_records(TOPIC, partition, before)
            sender.finish()
            service.wait_metric("driftd_records_total", sender.count, result="accepted", timeout=120)
            metrics = service.metrics()
            accepted, gaps = metrics.get("driftd_records_total", result="accepted"), metrics.get("driftd_source_gaps_total")
            assert service.terminate() == 0, service.log_tail()
    late = [p for p in points if p[0] >= points[-1][0] / 3]
    grown = slope(late)
    say(f"{minutes} min at {sender.count / (minutes * 60):.0f} records/s, {sender.names} names: "
        f"{sender.count} sent, {accepted:.0f} accepted, {gaps:.0f} gaps; resident memory {min(p[1] for p in late):.1f} to "
        f"{max(p[1] for p in late):.1f} MiB after the first third, slope {grown:+.2f} MiB/h")
    return accepted == sender.count and gaps == 0 and grown <= SLOPE


def main():
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=int, default=6_000, help="records a second")
    parser.add_argument("--names", type=int, default=200_000, help="new sensor names a minute")
    args = parser.parse_args()
    return 0 if run(args.minutes, args.rate, args.names) else 1


if __name__ == "__main__":
    sys.exit(main())
