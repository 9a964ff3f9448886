"""Kills driftd again and again while records come, and counts what that cost.

    scripts/crash_test kafka --kills 200 [--seed 1] [--rate 1500] [--naive]
    scripts/crash_test mqtt --kills 100

Records go to a real Kafka or Mosquitto all the while; driftd gets SIGKILL at random moments and is
started again. A second driftd reads the same records undisturbed. Then are counted, against what
was sent: records lost and counted twice (by window), and those that are rejected and not in the quarantine; against
the undisturbed run, and for Kafka against a replay of the topic: lines of the findings log that differ; webhooks and
alerts of Alertmanager that are missing, foreign, differ, or fire again after their end; groups of webhooks that came in
another order. Ends with 0 when all are 0.
Each start has another number of workers, and room for windows that wait. --naive throws driftd's state away at each
restart, as a consumer with committed offsets or a client that acknowledges on receipt would lose it: then the counts must
not be 0.
--damage breaks the newest checkpoint behind each kill, so that driftd must go on from the one before.
"""
import argparse
import collections
import contextlib
import json
import os
import random
import shutil
import sys
import threading
import time

from confluent_kafka import Producer

import plant
import servers
import stored
from driftd import Driftd, run_driftd

SENSORS, STEP = 12, 50          # sensors in turn, ms of event time between two records
WINDOW = 20_000                 # ms
PARTITIONS = 4
UNDISTURBED = 6 * WINDOW // STEP  # records after the last kill
WINDOW_OF_THE_LAST = 3600_000   # the last records come so much later and close all windows before

WORKERS = [1, 2, 8]
WAITING = ["64KiB", "64MiB"]  # with the first, partitions are held back again and again
HELD_BACK = "those that are ahead are not read on"

Counts = collections.namedtuple("Counts", "sent windows kills lost double differing webhooks alerts redelivered damaged unkept")


def row(number):
    """Deterministic; with enough wrong that every kind of check has something to say."""
    sensor, at = number % SENSORS, plant.START + number * STEP
    minute = number * STEP // 60_000
    value = round(20 + sensor + 3 * ((number * 7919) % 1000) / 1000, 3)
    if sensor == 3 and minute % 5 == 2:
        value = 90.0                                  # out of range and stuck
    if sensor == 7 and minute % 6 > 2:
        value += 8                                    # a step, for the detector, and for distances
    record = {"sensor": f"s{sensor:02}", "ts": at, "temperature": value, "status": "on"}
    if sensor == 5 and minute % 4 == 1:
        record["status"] = "off"
    if number % 4999 == 4998:
        record["status"] = f"odd {number // 4999 % 20}"  # a category that nobody knows
    if number % 97 == 0:
        record["temperature"] = None
    return record


def rows(first, until, broken, late=True):
    """With `broken`, some among them that are rejected, in the partition of their sensor as any other; with `late` some that come
    too late for their window, by more than the records of all partitions are apart."""
    for number in range(first, until):
        yield row(number)
        if late and number % 103 == 0 and number > 10 * WINDOW // STEP:
            yield {**row(number), "ts": row(number)["ts"] - 5 * WINDOW}
        if broken and number % 101 == 0:
            yield {**row(number), "ts": f"broken {number}"}


def value_of(record):
    return json.dumps(record).encode()


def is_broken(record):
    return isinstance(record["ts"], str)


def last_rows(count):
    """One of each sensor, long after the others."""
    first = plant.START + count * STEP + WINDOW_OF_THE_LAST
    return [{"sensor": f"s{sensor:02}", "ts": first + sensor, "temperature": 20.0, "status": "on"}
            for sensor in range(SENSORS)]


def config(source, receiver, path):
    checks = [
        {"check": "count", "min": 0, "max": 1_000_000, "by": ["stream"]},
        {"check": "in_range", "field": "temperature", "min": 0, "max": 50, "severity": "critical"},
        {"check": "not_null", "field": "temperature", "max_share": 0.02},
        {"check": "stuck_value", "field": "temperature"},
        {"check": "rate_of_change", "field": "temperature", "max": 30},
        {"check": "mean", "field": "temperature", "min": 20, "max": 40},
        {"check": "new_category", "field": "status"},
        {"check": "distance", "field": "temperature", "metric": "psi", "max": 0.5},
        {"check": "distance", "field": "status", "metric": "total_variation", "max": 0.3, "by": ["stream"]},
        {"check": "page_hinkley", "field": "temperature"},
    ]
    made = plant.config(
        checks, source=source, stream_windows={"size": f"{WINDOW // 1000}s", "lateness": "5s", "idle": "1h",
                                               "by": ["stream", "status", "sensor"]},
        stream_reference="crash@production",
        alerts={"for": 2, "routes": [{"match": {"severity": "critical"}, "to": ["hook", "alertmanager"]}],
                "notifiers": {"hook": {"type": "webhook", "url": f"{receiver.url}/{path}"},
                              "alertmanager": {"type": "alertmanager", "urls": [f"{receiver.url}/{path}"], "resend": "2s"}}},
        service={"findings": {"all": True}, "checkpoint_every": "300ms", "external_url": "http://driftd.test"})
    made["streams"]["plant"]["fields"]["status"]["role"] = "segment"
    return made


def teach(first, *others):
    """A reference of the first records, the same one for all; none of them has been started."""
    path = first.dir / "normal.jsonl"
    path.write_text(plant.lines(r for r in map(row, range(10_000)) if r["status"] in ("on", "off")))
    done = run_driftd("reference", "build", first.config_path, "--stream", "plant", "--input", path, "--alias", "production")
    assert done.returncode == 0, done
    for other in others:
        other.data_dir.mkdir(parents=True)
        shutil.copy(first.data_dir / "references.db", other.data_dir)


def end_of(finding):
    """In ms, of its window, or of the one that its record is in."""
    if "window" in finding:
        return plant.milliseconds(finding["window"]["end"])
    return plant.milliseconds(finding["record"]["time"]) // WINDOW * WINDOW + WINDOW


class KafkaBroker:
    """Where the records go, and how a driftd reads them."""

    def __init__(self):
        self.server = servers.Kafka()
        self.topic = "crash"

    def __enter__(self):
        self.server.start()
        self.server.create_topic(self.topic, partitions=PARTITIONS)
        self._producer = Producer({"bootstrap.servers": self.server.bootstrap, "enable.idempotence": True,
                                   "linger.ms": 5, "log_level": 0})
        return self

    def __exit__(self, *_):
        self.server.stop()

    def source(self, name, naive):
        # A static member that comes back gets its partitions at once.
        return {"kafka": {"brokers": [self.server.bootstrap], "topics": [self.topic], "group": name,
                          "instance_id": name, "start": "latest" if naive else "earliest"}}

    def send(self, rows):
        for record in rows:
            self._producer.produce(self.topic, self._value(record), record["sensor"].encode(),
                                   partition=int(record["sensor"][1:]) % PARTITIONS,
                                   **({} if is_broken(record) else {"timestamp": record["ts"]}))
        assert self._producer.flush(60) == 0, "records that the broker did not take"

    def replay(self, service):
        """The findings of a replay of the topic, but those of the last rows' window, which is open still when live."""
        out = service.dir / "replayed.jsonl"
        done = run_driftd("replay", service.config_path, "--kafka", self.topic, "--from", "2000-01-01T00:00:00Z",
                          "--to", "2100-01-01T00:00:00Z", "--all", "--findings", out, timeout=600)
        assert done.returncode == 0, done.stderr
        found = [(line, json.loads(line)) for line in out.read_bytes().splitlines()]
        last = max(end_of(f) for _, f in found if "window" in f and "closed_by" not in f.get("detail", {}))
        return [line for line, f in found if end_of(f) <= last]

    def _value(self, record):
        return value_of(record)


class MqttBroker:
    def __init__(self):
        self.server = servers.Mosquitto(persistence=True)

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop()

    def source(self, name, naive):
        del naive
        return {"mqtt": {"url": self.server.url, "topics": ["crash/+"], "client_id": name}}

    def send(self, rows):
        self.server.publish((f"crash/{record['sensor']}", value_of(record)) for record in rows)


class Sender(threading.Thread):
    """Sends rows at the rate until it is told to stop; `count` is how many were taken."""

    def __init__(self, broker, rate, broken=False, late=True):
        super().__init__(daemon=True)
        self._broker, self._rate, self._kinds = broker, rate, {"broken": broken, "late": late}
        self._enough = threading.Event()
        self.count, self.error = 0, None

    def run(self):
        try:
            begin = time.monotonic()
            while not self._enough.is_set():
                due = int((time.monotonic() - begin) * self._rate)
                until = min(due, self.count + 5000)
                self._broker.send(rows(self.count, until, **self._kinds))
                self.count = until
                self._enough.wait(0.05)
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error

    def finish(self):
        self._enough.set()
        self.join()
        if self.error:
            raise self.error
        self._broker.send(last_rows(self.count))
        return self.count


def throw_away_state(service):
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        (service.data_dir / name).unlink(missing_ok=True)
    for journal in service.data_dir.glob("streams/*/journal"):
        shutil.rmtree(journal)


def disturb(service, config, kills, naive, rng, damage=False, life=1):
    """Between the kills driftd lives long enough, most of the time, to get on; sometimes it does
    not even answer yet. A slow machine needs a longer `life`. Returns how many checkpoints were damaged."""
    damaged, newest = 0, None
    for _ in range(kills):
        config["service"].update(workers=rng.choice(WORKERS), limits={"waiting": rng.choice(WAITING)})
        service.write_config(config)
        service.spawn()
        time.sleep(life * (rng.uniform(0, 0.3) if rng.random() < 0.2 else rng.uniform(0.3, 2.0)))
        assert service.running(), f"driftd ended by itself\n{service.log_tail()}"
        service.kill()
        if naive:
            throw_away_state(service)
        at = stored.damage_newest(service.data_dir, rng, but=newest) if damage else None
        if at:
            damaged, newest = damaged + 1, at
    return damaged


def findings_of(service):
    return (service.data_dir / "findings.jsonl").read_bytes().splitlines()


def unkept(service, count):
    """How many of the records that are rejected are not in its quarantine."""
    kept = set()
    for segment in (service.data_dir / "quarantine" / "plant").iterdir():
        for line in segment.read_text().splitlines():
            with contextlib.suppress(json.JSONDecodeError):  # torn by a kill; it comes again
                kept.add(json.loads(line)["payload"].encode())
    sent = [value_of(record) for record in rows(0, count, True) if is_broken(record)]
    assert sent, "something was sent that is rejected"
    return sum(value not in kept for value in sent)


def rows_a_window(lines):
    """{window start in ms: rows that it counted, over all findings that say so}"""
    counted = collections.Counter()
    for line in lines:
        finding = json.loads(line)
        if finding["check"] == "count" and "value" in finding:  # a window that is known in part has none
            counted[plant.milliseconds(finding["window"]["start"])] += int(finding["value"])
    return counted


def wait_until_judged(service, count, timeout):
    """The last window that the last rows close has been judged, and everything was told."""
    end = (plant.START + (count - 1) * STEP) // WINDOW * WINDOW + WINDOW

    def done():
        return any(end_of(json.loads(line)) >= end for line in findings_of(service)[-40:])
    service.wait(done, "the findings of the last window", timeout)
    service.wait(lambda: service.metrics().get("driftd_outbox_pending") == 0, "an empty outbox", timeout)


def told(receiver, path):
    """{webhook-id: what arrived there under it, without the time of its making}"""
    events = collections.defaultdict(set)
    for request in receiver.received():
        if request.path == f"/{path}":
            event = json.loads(request.body)
            del event["time"]
            events[request.headers["webhook-id"]].add(json.dumps(event, sort_keys=True))
    return events


def order_of(receiver, path):
    """{group: webhook-ids in the order in which they came first}"""
    groups = collections.defaultdict(dict)
    for request in receiver.received():
        if request.path == f"/{path}":
            groups[json.loads(request.body)["subject"]].setdefault(request.headers["webhook-id"])
    return {group: list(ids) for group, ids in groups.items()}


def alerts_of(receiver, path):
    """What Alertmanager knows in the end: {labels: (start of the newest alert, is it over)}; and how often an
    alert was said to fire after it had been over."""
    newest, over, again = {}, set(), 0
    for request in receiver.received():
        if request.path != f"/{path}/api/v2/alerts":
            continue
        for alert in json.loads(request.body):
            labels = json.dumps(alert["labels"], sort_keys=True)
            ended = plant.milliseconds(alert["endsAt"]) <= request.at * 1000
            again += (labels, alert["startsAt"]) in over and not ended
            if ended:
                over.add((labels, alert["startsAt"]))
            newest[labels] = (alert["startsAt"], ended)
    return newest, again


def wait_until_told(receiver):
    """State is told again and again, so in the end both were told the same; what is not is counted by compare()."""
    with contextlib.suppress(servers.ServerError):
        servers.wait_for(lambda: alerts_of(receiver, "disturbed")[0] == alerts_of(receiver, "calm")[0], "the same alerts", 30)


def run(kind, kills, seed=1, rate=1500, naive=False, damage=False, say=print, life=1):
    rng = random.Random(seed)
    with {"kafka": KafkaBroker, "mqtt": MqttBroker}[kind]() as broker, servers.WebhookReceiver() as receiver:
        settings = config(broker.source("disturbed", naive), receiver, "disturbed")
        disturbed = Driftd(settings)
        calm = Driftd(config(broker.source("calm", False), receiver, "calm"))
        teach(calm, disturbed)
        with calm, disturbed:
            calm.wait_ready()
            disturbed.wait_ready()
            disturbed.kill()
            sender = Sender(broker, rate, broken=True)
            begin = time.monotonic()
            sender.start()
            damaged = disturb(disturbed, settings, kills, naive, rng, damage, life)
            disturbed.start()
            disturbed.wait_ready(60)
            # Nobody disturbs these: of whole windows even the naive one loses nothing.
            target = sender.count + UNDISTURBED
            servers.wait_for(lambda: sender.count >= target or sender.error, "some windows without a kill", 60)
            count = sender.finish()
            say(f"{kind}: {count} records sent, {kills} kills in {time.monotonic() - begin:.0f} s (seed {seed}), "
                f"{damaged} checkpoints damaged")
            assert disturbed.log().count(stored.FELL_BACK) >= damaged, disturbed.log_tail()
            wait_until_judged(calm, count, 120)
            if naive:
                with contextlib.suppress(servers.ServerError):  # the last window may be among what is lost
                    wait_until_judged(disturbed, count, 20)
            else:
                wait_until_judged(disturbed, count, 120)
                wait_until_told(receiver)
            calm.stop()
            disturbed.stop()
            say(f"partitions were held back after {disturbed.log().count(HELD_BACK)} starts")
            replayed = broker.replay(calm) if kind == "kafka" else findings_of(calm)
            return compare(disturbed, calm, replayed, receiver, count, kills, damaged)


def compare(disturbed, calm, replayed, receiver, count, kills, damaged):
    sent = collections.Counter((plant.START + n * STEP) // WINDOW * WINDOW for n in range(count))
    lines, undisturbed = findings_of(disturbed), findings_of(calm)
    assert rows_a_window(undisturbed) == sent, "the undisturbed driftd counts what was sent"
    counted = rows_a_window(lines)
    lost = sum((sent - counted).values())
    double = sum((counted - sent).values())
    differing = differences(lines, undisturbed) + differences(undisturbed, replayed)
    told_here, told_there = told(receiver, "disturbed"), told(receiver, "calm")
    wrong = sum(told_here.get(i) != told_there.get(i) for i in told_here.keys() | told_there.keys())
    order_here, order_there = order_of(receiver, "disturbed"), order_of(receiver, "calm")
    wrong += sum(order_here.get(i) != order_there.get(i) for i in order_here.keys() | order_there.keys())
    requests = sum(r.path == "/disturbed" for r in receiver.received())
    here, again = alerts_of(receiver, "disturbed")
    there, _ = alerts_of(receiver, "calm")
    alerts = sum(here.get(i) != there.get(i) for i in here.keys() | there.keys()) + again
    assert told_there and there, "something was told"
    checks = {json.loads(line)["check"] for line in undisturbed if b'"verdict":"fail"' in line}
    assert {"in_range", "stuck_value", "new_category", "distance", "page_hinkley"} <= checks, f"all kinds found something: {checks}"
    return Counts(count, len(sent), kills, lost, double, differing, wrong, alerts, requests - len(told_here), damaged,
                  unkept(disturbed, count))


def differences(lines, expected):
    """Lines that are only on one side, or else in another order."""
    have, want = collections.Counter(lines), collections.Counter(expected)
    return sum(((have - want) + (want - have)).values()) or sum(a != b for a, b in zip(lines, expected))


def main():
    parser = argparse.ArgumentParser(prog="scripts/crash_test", description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=["kafka", "mqtt"])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(2), "big"))
    parser.add_argument("--rate", type=int, default=1500, help="records a second")
    parser.add_argument("--naive", action="store_true", help="without driftd's state: must lose")
    parser.add_argument("--damage", action="store_true", help="break the newest checkpoint behind each kill")
    options = parser.parse_args()
    counts = run(**vars(options))
    print(f"{counts.windows} windows; lost {counts.lost}, double {counts.double}, differing findings {counts.differing}, "
          f"wrong webhooks {counts.webhooks} ({counts.redelivered} delivered again under the same id), wrong alerts {counts.alerts}, "
          f"rejects that are not in quarantine {counts.unkept}")
    return 1 if any((counts.lost, counts.double, counts.differing, counts.webhooks, counts.alerts, counts.unkept)) else 0


if __name__ == "__main__":
    sys.exit(main())
