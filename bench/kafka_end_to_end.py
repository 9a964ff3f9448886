"""Records a second of the driftd binary draining a topic of a real Apache Kafka, in turn with a bare
librdkafka consumer of the same topic; prints both and the ratio.

    /usr/bin/python3 bench/kafka_end_to_end.py [records] [rounds] [partitions]

Needs what the end-to-end tests need (scripts/test installs it) and the targets driftd and
bench_bare_consumer of the preset `bench`. Broker and consumer share the machine's cores. Both are
timed from their first records to their last, so that starting and joining the group is left out.
Before its time counts, driftd must have accepted every record, rejected none, called none late, and
found exactly the records that are out of range.
"""
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "bench"
os.environ.setdefault("DRIFTD_BIN", str(BUILD / "driftd"))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from driftd import Driftd  # noqa: E402
from servers import Kafka  # noqa: E402

SENSORS, START = 100, 1767225600000
WINDOW = 300_000
# driftd with its own options for librdkafka, and with librdkafka's. Debian 12's version rests a whole second from
# fetching when the queue of fetched records is full (its issue 2879), so a queue shorter than a second's records halts
# a catch-up again and again.
CONTENDERS = {
    "as it is": {},
    "librdkafka's queues": {"queued.min.messages": "100000", "queued.max.messages.kbytes": "65536"},
}
FIELDS = ("temperature", "pressure", "vibration", "current")


class FullSpeedKafka(Kafka):
    """The tests' broker starts fast; this one is compiled all the way."""

    def _java(self, heap):
        return [word for word in super()._java(heap) if word != "-XX:TieredStopAtLevel=1"]


def config(kafka, topic, options):
    source = {"brokers": [kafka.bootstrap], "topics": [topic], "group": f"bench-{uuid.uuid4()}", "options": options}
    return {
        "streams": {"pumps": {
            "from": {"kafka": source},
            "decode": {"format": "json", "sensor": "sensor", "time": {"field": "ts", "unit": "ms"}},
            "fields": {name: "number" for name in FIELDS},
            "windows": {"size": "5m", "lateness": "10s", "by": ["stream", "sensor"]},
            "checks": [
                {"check": "not_null", "field": list(FIELDS)},
                {"check": "in_range", "field": "temperature", "min": -40, "max": 125},
                {"check": "in_range", "field": list(FIELDS[1:]), "min": 0, "max": 50},
                {"check": "rate_of_change", "field": "temperature", "max": 1000},
                {"check": "spike", "field": "vibration", "z": 100},
                {"check": "stuck_value", "field": "pressure"},
                {"check": "duplicate"}]}}}


def records(count, partitions):
    """Each partition in the order of time; a sensor is always in the same one."""
    rng = random.Random(5)
    noise = [rng.gauss(0, 1) for _ in range(9973)]
    for i in range(count):
        second, sensor = divmod(i, SENSORS)
        g = noise[i % len(noise)], noise[i * 7 % len(noise)], noise[i * 13 % len(noise)]
        hot = 100 if i % 5003 == 0 else 0
        yield sensor % partitions, (
            f'{{"sensor":"pump-{sensor:03}","ts":{START + second * 1000 + sensor * 3},'
            f'"temperature":{60 + 5 * g[0] + hot:.4f},"pressure":{4 + .2 * g[1]:.4f},'
            f'"vibration":{1 + .1 * g[2]:.4f},"current":{12 + g[0]:.4f}}}').encode()


def fill(kafka, topic, count, partitions):
    kafka.create_topic(topic, partitions=partitions)
    size, hot_closed = 0, 0
    last = START + (count - 1) // SENSORS * 1000
    closed_until = (last - 10_000) // WINDOW * WINDOW  # windows that the records themselves close

    def messages(chosen):
        nonlocal size, hot_closed
        for i, (partition, value) in enumerate(records(count, partitions)):
            if partition == chosen:
                size += len(value)
                fields = json.loads(value) if i % 5003 == 0 else None
                if fields and fields["temperature"] > 125 and fields["ts"] < closed_until:
                    hot_closed += 1
                yield None, value, START + i // SENSORS * 1000, None
    for partition in range(partitions):
        kafka.produce(topic, messages(partition), partition=partition)
    return size, hot_closed


def bare(kafka, topic, count, size):
    out = subprocess.run([BUILD / "bench" / "bench_bare_consumer", kafka.bootstrap, topic, str(count)],
                         check=True, capture_output=True, text=True, timeout=600).stdout.split()
    assert (int(out[0]), int(out[1])) == (count, size), f"the bare consumer read {out}"
    return (count - int(out[3])) / float(out[2]), float(out[4])


def full(kafka, topic, count, hot, options):
    with Driftd(config(kafka, topic, options)) as service:
        first, begin, cpu = 0, 0.0, 0.0
        while True:
            accepted = service.metrics().get("driftd_records_total", stream="pumps", result="accepted")
            now = time.perf_counter()
            if accepted and not first:
                first, begin, cpu = accepted, now, service.cpu_seconds()
            if accepted >= count:
                break
            assert service.running(), service.log_tail()
            time.sleep(0.1)  # asking costs driftd time, too
        cpu, peak = service.cpu_seconds(), service.peak_memory()
        metrics = service.metrics()
        assert metrics.get("driftd_records_total", stream="pumps", result="accepted") == count
        assert metrics.get("driftd_records_total", stream="pumps", result="rejected") == 0, "rejected"
        assert metrics.get("driftd_records_total", stream="pumps", result="late") == 0, "late"

        def found():
            return sum(f["detail"]["failed"] for f in service.findings(check="in_range", verdict="fail")
                       if f["segment"]["by"] == "stream" and "closed_by" not in f["detail"])
        service.wait(lambda: found() == hot, lambda: f"{hot} records out of range; found {found()}", 30)
    return (count - first) / (now - begin), cpu, peak


def main(count, rounds, partitions):
    with FullSpeedKafka() as kafka:
        size, hot = fill(kafka, "pumps", count, partitions)
        assert hot > 0
        print(f"{count} records of {size / count:.0f} bytes in {partitions} partitions, {os.cpu_count()} cores, "
              f"12 checks, windows of 5m by [stream, sensor]", flush=True)
        ratios = {name: [] for name in CONTENDERS}
        for number in range(rounds + 1):
            limit, cpu = bare(kafka, "pumps", count, size)
            line = f"bare {limit / 1e6:.3f} M/s, {cpu / count * 1e9:.0f} ns CPU"
            for name, options in CONTENDERS.items():
                speed, cpu, peak = full(kafka, "pumps", count, hot, options)
                line += (f" | driftd, {name}: {speed / 1e6:.3f} M/s, {cpu / count * 1e9:.0f} ns CPU, "
                         f"{peak >> 20} MiB, {speed / limit:.3f}")
                if number > 0:  # the first round warms up the broker
                    ratios[name].append(speed / limit)
            print(line, flush=True)
        for name, all_of_it in ratios.items():
            print(f"driftd, {name}: median ratio {statistics.median(all_of_it):.3f}")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(*(numbers + [2_000_000, 5, 4][len(numbers):]))
