"""Windows that wait for a partition that is behind wait in the source, which keeps them anyway, and not in memory; and a
partition that is silent is known to be so however much the others send."""
import json
import threading
import time

import pytest
from confluent_kafka import Producer

import plant

LIMIT = 256 * 1024
WINDOWS = 4000
EACH = 10   # records of a window and sensor


def config(source=None, idle="1h", **limits):
    return plant.config([{"check": "count", "min": 1}], source=source,
                        service={"findings": {"all": True}, "limits": limits},
                        stream_windows={"size": "10s", "lateness": "0s", "idle": idle, "by": ["stream"]})


def rows(sensor, first, windows):
    for n in range(first * EACH, (first + windows) * EACH):
        yield {"sensor": sensor, "ts": plant.START + n * plant.WINDOW // EACH, "temperature": 20.0, "status": "on"}


def waiting(service):
    return service.metrics().get("driftd_windows_waiting_bytes", stream="plant")


def held_back(service):
    service.wait(lambda: waiting(service) >= LIMIT / 2 and "those that are ahead are not read on" in service.log(),
                 lambda: f"as much waits as may: {waiting(service)}", timeout=60)
    assert waiting(service) < 12 * LIMIT, "with what was on its way to the workers"
    service.wait(lambda: service.metrics().all("driftd_source_lag", stream="plant"), "the rest is a backlog")


def all_judged(service):
    """Each window once, with the records of both sensors."""
    service.wait(lambda: len(service.findings(check="count")) >= WINDOWS - 1,
                 lambda: f"all windows; there are {len(service.findings(check='count'))}", timeout=120)
    found = service.findings(check="count")
    assert [f["window"]["start"] for f in found] == [plant.window_start(n) for n in range(WINDOWS - 1)]
    assert {f["value"] for f in found} == {2 * EACH}
    metrics = service.metrics()
    assert metrics.get("driftd_late_records_total", stream="plant") == 0
    service.wait(lambda: waiting(service) == 0, lambda: f"nothing waits any more: {waiting(service)}")


def test_history_of_one_sensor_before_that_of_the_next(driftd):
    """By HTTP, with kills: what is held back is read again from the journal, once."""
    service = driftd(config(waiting="256KiB")).wait_ready()
    plant.post(service, [*rows("a", 0, 1), *rows("b", 0, 1)])
    for first in range(1, WINDOWS, 1000):
        plant.post(service, rows("a", first, min(1000, WINDOWS - first)))
    held_back(service)
    service.kill9()
    service.start().wait_ready()
    held_back(service)
    for first in range(1, WINDOWS, 1000):
        plant.post(service, rows("b", first, min(1000, WINDOWS - first)))
    service.kill9()
    service.start().wait_ready()
    all_judged(service)


def test_a_partition_that_is_filled_after_the_other(driftd, kafka, unique):
    kafka.create_topic(unique, partitions=2)
    source = {"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique, "instance_id": "a"}}
    service = driftd(config(source, waiting="256KiB")).wait_ready()
    kafka.produce(unique, plant.kafka_records(rows("b", 0, 1)), partition=1)
    service.wait_metric("driftd_records_total", EACH, stream="plant", result="accepted")
    kafka.produce(unique, plant.kafka_records(rows("a", 0, WINDOWS)), partition=0)
    held_back(service)
    service.kill9()
    service.start().wait_ready()
    kafka.produce(unique, plant.kafka_records(rows("b", 1, WINDOWS - 1)), partition=1)
    all_judged(service)


def test_one_that_is_silent_is_heard_when_it_speaks_again(driftd, kafka, unique):
    """The windows of `fast` wait for `slow`, which sends all the while, and nothing of `seldom`, which is silent, is held back."""
    kafka.create_topic(unique, partitions=3)
    source = {"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique}}
    service = driftd(config(source, idle="8s", waiting="256KiB")).wait_ready()
    partitions = {"fast": 0, "slow": 1, "seldom": 2}
    send = lambda sensor, some: kafka.produce(unique, plant.kafka_records(some), partition=partitions[sensor])
    for sensor in partitions:
        send(sensor, rows(sensor, 0, 1))
    accepted = lambda: service.metrics().get("driftd_records_total", stream="plant", result="accepted")
    service.wait(lambda: accepted() == 3 * EACH, "all are heard of")
    stop = threading.Event()

    def creep():
        at = plant.START + plant.WINDOW - plant.WINDOW // EACH
        while not stop.wait(0.2):
            at += 1
            send("slow", [{"sensor": "slow", "ts": at, "temperature": 20.0, "status": "on"}])
    creeping = threading.Thread(target=creep)
    creeping.start()
    try:
        send("fast", rows("fast", 1, WINDOWS - 1))
        held_back(service)
        time.sleep(12)  # it is silent for longer than `idle`
        before = accepted()
        send("seldom", rows("seldom", 100, 2))
        service.wait(lambda: accepted() - before >= 2 * EACH, lambda: f"it is heard: {accepted() - before}", timeout=30)
    finally:
        stop.set()
        creeping.join()
    send("slow", rows("slow", 1, WINDOWS - 1))
    service.wait(lambda: len(service.findings(check="count")) >= WINDOWS - 1, "all windows", timeout=120)
    counted = {f["window"]["start"]: f["value"] for f in service.findings(check="count")}
    assert counted[plant.window_start(100)] == 3 * EACH and counted[plant.window_start(99)] == 2 * EACH
    assert service.metrics().get("driftd_late_records_total", stream="plant") == 0


def test_a_journal_that_is_full_of_what_waits_for_one_that_is_silent(driftd, mosquitto, unique):
    """Nothing can be heard while it is full, so that only the clock can end it."""
    source = {"mqtt": {"url": mosquitto.url, "topics": [f"{unique}/+"], "client_id": unique, "max_record": "4KiB"}}
    service = driftd(config(source, idle="15s", waiting="64KiB", journal="1MiB")).wait_ready()
    message = lambda row: (f"{unique}/{row['sensor']}", json.dumps(row))
    mosquitto.publish([message(row) for row in [*rows("a", 0, 1), *rows("b", 0, 1)]])
    service.wait_metric("driftd_records_total", 2 * EACH, stream="plant", result="accepted")
    mosquitto.publish([message(row) for row in rows("a", 1, WINDOWS)])
    service.wait(lambda: "the journal is full" in service.log(), "it is full", 30)
    service.wait(lambda: len(service.findings(check="count")) >= WINDOWS - 1, "all windows", timeout=120)
    service.wait_metric("driftd_records_total", (WINDOWS + 2) * EACH, stream="plant", result="accepted")


@pytest.mark.parametrize("source", ["mqtt", "http"])
def test_a_journal_that_is_full_for_want_of_a_checkpoint_makes_nobody_silent(driftd, mosquitto, unique, source):
    by_mqtt = {"mqtt": {"url": mosquitto.url, "topics": [f"{unique}/+"], "client_id": unique, "max_record": "4KiB"}}
    settings = config(by_mqtt if source == "mqtt" else None, idle="2s", journal="1MiB")
    settings["service"]["checkpoint_every"] = "1h"
    service = driftd(settings).wait_ready()
    parts = [list(rows("a", first, 500)) for first in range(0, WINDOWS, 500)]

    def refused(part):
        return service.post("/api/v1/streams/plant/records", plant.lines(part),
                            headers={"Content-Type": "application/x-ndjson"}).status == 429
    if source == "mqtt":
        for part in parts:
            mosquitto.publish([(f"{unique}/{row['sensor']}", json.dumps(row)) for row in part])
        service.wait(lambda: "the journal is full" in service.log(), "it is full", 30)
    else:
        while not refused(parts[0]):
            parts.pop(0)
    time.sleep(5)   # more than twice `idle`
    assert service.terminate() == 0
    settings["service"]["checkpoint_every"] = "200ms"
    service.write_config(settings)
    service.start()
    if source == "http":
        service.wait_ready()
        for part in parts:
            service.wait(lambda p=part: not refused(p), "it has room again")
    service.wait(lambda: len(service.findings(check="count")) >= WINDOWS - 1, "all windows", timeout=120)
    assert {f["value"] for f in service.findings(check="count")} == {EACH}, "nothing was late"


def endless(stop, send):
    """Records of one sensor as fast as they go; `send` blocks when that is too fast."""
    def run():
        first = 0
        while not stop.is_set():
            send(rows("a", first, 50))
            first += 50
    return threading.Thread(target=run)


@pytest.mark.parametrize("source", ["kafka", "http"])
def test_one_that_is_silent_beside_one_that_never_pauses(driftd, kafka, unique, source):
    kafka.create_topic(unique, partitions=2)
    by_kafka = {"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique}} if source == "kafka" else None
    service = driftd(config(by_kafka, idle="2s")).wait_ready()
    if source == "kafka":
        producer = Producer({"bootstrap.servers": kafka.bootstrap, "log_level": 0, "linger.ms": 5})
        kafka.produce(unique, plant.kafka_records(rows("b", 0, 1)), partition=1)

        def send(some):
            for key, value, at, _ in plant.kafka_records(some):
                producer.produce(unique, value, key, partition=0, timestamp=at)
            producer.poll(0)
            while len(producer) > 20000:
                producer.poll(0.05)
    else:
        plant.post(service, rows("b", 0, 1))
        send = lambda some: plant.post(service, some)
    stop = threading.Event()
    sender = endless(stop, send)
    sender.start()
    try:
        service.wait(lambda: len(service.findings(check="count")) > 100, "windows do not wait for the other", timeout=120)
    finally:
        stop.set()
        sender.join()
        if source == "kafka":
            producer.flush(60)
