"""Runs driftd for long at a high load with sensors that come and go, and says how its memory went.

    scripts/soak [--minutes 30] [--rate N] [--names 1000000]

Records go to a real Kafka in four partitions as fast as the machine lets sender, broker and driftd together,
or at a rate (a second), from 2,000 sensors that stay and NAMES new ones a minute, of which each sends one
record and falls silent. The resident memory is read every 0.1 s. It rises and falls by half with each window that
closes (5 s) and each checkpoint (10 s): a mean of whole minutes has all of that alike, where readings 5 s apart meet
the same moment of every window, and drift along it. The slope, after a third of the time, is the median of
the slopes between any two minutes, with its 95 % interval (Theil 1950, Sen 1968). Ends with 0 when every record was
accepted, none is missing, and the slope is at most 1 MiB in 10 minutes. Minutes differ by some 5 MiB (standard deviation),
so 30 of them may miss that without a cause; the interval says what a run can tell, and a longer one tells more.
"""
import argparse
import itertools
import math
import statistics
import sys
import threading
import time

from confluent_kafka import Producer

import plant
import servers
from driftd import Driftd

PARTITIONS, STAYING = 4, 2000
SENSORS = 100_000         # a partition may hold: more than have a name of their own in the windows that are open
EVERY = 5                 # s between two looks at the metrics
READ = 0.1                # s between two readings of the memory
KEPT = 2_000_000          # records of a partition that stay in Kafka; the disk must not fill
BEHIND = 2_000_000        # records that driftd may be behind; the sender waits then
FULL_SPEED = 1_000_000    # records a second that nobody can send here
SLOPE = 6.0               # MiB an hour that are allowed
CERTAIN = 1.96            # standard deviations: 95 %
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
    """Sends at the rate, but not far ahead of `accepted`, until it is told to stop."""

    def __init__(self, kafka, rate, names):
        super().__init__(daemon=True)
        self._producer = Producer({"bootstrap.servers": kafka.bootstrap, "enable.idempotence": True, "linger.ms": 20,
                                   "batch.size": 1 << 20, "queue.buffering.max.messages": 1_000_000, "log_level": 0})
        self._rate, self._names_a_second = rate, names / 60
        self._enough = threading.Event()
        self.count = self.names = self.accepted = 0
        self.error = None

    def run(self):
        try:
            begin = time.monotonic()
            while not self._enough.is_set():
                passed = time.monotonic() - begin
                until = min(int(passed * self._rate), self.count + 5000, self.accepted + BEHIND)
                if until <= self.count:
                    self._enough.wait(0.02)
                self._send(until, int(passed * self._names_a_second))
            left = self._producer.flush(60)
            assert left == 0, f"{left} records that the broker did not take"
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def _send(self, until, names_due):
        now = time.time_ns() // 1_000_000
        for number in range(self.count, until):
            if self.names < names_due:
                self.names += 1
                sensor = f"new-{self.names}"
            else:
                sensor = f"s{number % STAYING}"
            value = 20 + number * 7919 % 1000 / 1000
            record = b'{"sensor":"%s","ts":%d,"temperature":%.3f,"status":"on"}' % (sensor.encode(), now, value)
            try:
                self._producer.produce(TOPIC, record, partition=number % PARTITIONS, timestamp=now)
            except BufferError:  # the broker is slower
                self._producer.poll(1)
                self._producer.produce(TOPIC, record, partition=number % PARTITIONS, timestamp=now)
            if number % 1000 == 0:
                self._producer.poll(0)
            self.count = number + 1

    def finish(self):
        self._enough.set()
        self.join()
        if self.error:
            raise self.error


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024


def slope(points):
    """The median slope, and the ends of its interval (Sen, Journal of the American Statistical Association 63, 1968)."""
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.combinations(points, 2))
    n, count = len(points), len(slopes)
    half = CERTAIN * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low, high = max(round((count - half) / 2) - 1, 0), min(round((count + half) / 2), count - 1)
    return statistics.median(slopes), slopes[low], slopes[high]


def means_of_minutes(points):
    """Of whole ones, behind the first third."""
    minutes = {}
    for hours, size in points:
        minutes.setdefault(int(hours * 60), []).append(size)
    whole = int(points[-1][0] * 60)
    return [((minute + 0.5) / 60, statistics.fmean(sizes)) for minute, sizes in sorted(minutes.items()) if whole / 3 <= minute < whole]


def tell_memory(points, say):
    means = means_of_minutes(points)
    grown, low, high = slope(means)
    sizes = [size for hours, size in points if hours >= means[0][0] - 0.5 / 60]
    say(f"resident memory {min(sizes):.1f} to {max(sizes):.1f} MiB after the first third, slope {grown:+.2f} MiB/h "
        f"(95 %: {low:+.2f} to {high:+.2f}), standard deviation of the minutes {statistics.stdev(m for _, m in means):.1f} MiB\n"
        f"mean of each minute, MiB: {' '.join(f'{size:.0f}' for _, size in means)}", flush=True)
    return grown


def run(minutes, rate, names, say=print):
    with servers.Kafka() as kafka:
        kafka.create_topic(TOPIC, partitions=PARTITIONS)
        with Driftd(config(kafka)) as service:
            service.wait_ready()
            sender = Sender(kafka, rate, names)
            sender.start()
            begin, points, looked, told = time.monotonic(), [], 0, 0
            while time.monotonic() - begin < minutes * 60:
                time.sleep(READ)
                assert service.running() and sender.is_alive(), service.log_tail()
                at = time.monotonic() - begin
                points.append((at / 3600, resident(service.child.pid)))
                if at - looked < EVERY:
                    continue
                looked = at
                metrics = service.metrics()
                sender.accepted = int(metrics.get("driftd_records_total", result="accepted"))
                if at // 60 == told:
                    continue
                told = at // 60
                say(f"{told:.0f} min: {sender.count} sent, {sender.names} names, {sender.accepted} "
                    f"accepted, {metrics.get('driftd_records_total', result='rejected'):.0f} rejected, "
                    f"{metrics.get('driftd_sensors_evicted_total'):.0f} sensors evicted", flush=True)
                if told % 30 == 0:
                    tell_memory(points, say)
                for partition in range(PARTITIONS):
                    before = sender.count // PARTITIONS - KEPT
                    if before > 0:
                        kafka.delete_records(TOPIC, partition, before)
            sender.finish()
            service.wait_metric("driftd_records_total", sender.count, result="accepted", timeout=120)
            metrics = service.metrics()
            accepted, gaps = metrics.get("driftd_records_total", result="accepted"), metrics.get("driftd_source_gaps_total")
            assert service.terminate() == 0, service.log_tail()
    say(f"{minutes} min at {sender.count / (minutes * 60):.0f} records/s, {sender.names} names: "
        f"{sender.count} sent, {accepted:.0f} accepted, {gaps:.0f} gaps")
    grown = tell_memory(points, say)
    return accepted == sender.count and gaps == 0 and grown <= SLOPE


def main():
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30, help="3 at least")
    parser.add_argument("--rate", type=int, default=FULL_SPEED, help="records a second")
    parser.add_argument("--names", type=int, default=1_000_000, help="new sensor names a minute")
    args = parser.parse_args()
    return 0 if run(args.minutes, args.rate, args.names) else 1


if __name__ == "__main__":
    sys.exit(main())
