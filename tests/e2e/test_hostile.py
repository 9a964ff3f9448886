"""Records that are made to hurt, through real servers: each is counted with its reason, and those after it
are taken as if it had not been there."""
import concurrent.futures
import json

import pytest
from confluent_kafka import Producer

import plant

GOOD = {"sensor": "p1", "ts": plant.START, "temperature": 20.0, "status": "on"}
MIB = 1 << 20


def record(**more):
    return json.dumps({**GOOD, **more}).encode()


# (payload, reason); None: it is taken.
BOMBS = [
    (b'{"sensor":"p1","ts":1700000000000,"x":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}", "too_deep"),
    (b"[" * 500_000, "not_an_object"),
    (record()[:-1] + b',"pad":"' + b"x" * (10 * MIB) + b'"}', "too_large"),
    (b"\0" * 1000, "undecodable"),
    (b"", "empty_payload"),
    (record().replace(b"p1", b"p\xff\xfe1"), "undecodable"),
    (record().replace(b"1700000000000", b"1e400"), "absurd_time"),
    (record().replace(b"1700000000000", b"-9223372036854775809"), "absurd_time"),
    (record().replace(b"1700000000000", b"9" * 10_000), "absurd_time"),
    (record(sensor="s" * 257), "missing_sensor"),
    (record() + b"\0", "undecodable"),
    (record().replace(b"20.0", b"1e400"), None),                       # the value is not finite, the record is fine
    (record()[:-1] + b',"temperature":7,"sensor":"p1","temperature":21.5}', None),  # the last one wins
    (record(sensor="p\0\x01"), None),
    (record(**{"long" * 225_000: 1}), None),
    (record(**{f"unknown{i}": i for i in range(5000)}), None),
]
TAKEN = sum(1 for _, reason in BOMBS if reason is None)


def check(service, good, without=()):
    """`without`: reasons that cannot be met there."""
    service.wait_metric("driftd_records_total", good + TAKEN, stream="plant", result="accepted")
    wanted = {}
    for _, reason in BOMBS:
        if reason is not None and reason not in without:
            wanted[reason] = wanted.get(reason, 0) + 1
    metrics = service.wait_metric("driftd_rejects_total", sum(wanted.values()), stream="plant")
    counted = {labels["reason"]: n for labels, n in metrics.all("driftd_rejects_total", stream="plant") if n}
    assert counted == wanted
    assert metrics.get("driftd_records_total", stream="plant", result="accepted") == good + TAKEN
    assert metrics.get("driftd_series") < 1000, "names of unknown fields are capped"
    assert service.peak_memory() < 400 * MIB
    assert max(len(line) for line in service.log().splitlines()) < 2000, "names of unknown fields are cut"
    assert service.get("/-/healthy").status == 200
    service.wait_metric("driftd_quarantine_bytes", 1, stream="plant")


def test_kafka(driftd, kafka, unique):
    kafka.create_topic(unique, config={"max.message.bytes": str(12 * MIB)})
    service = driftd(plant.config([{"check": "count", "min": 1}], source={
        "kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique}})).wait_ready()
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "message.max.bytes": 12 * MIB, "log_level": 0})
    for payload, _ in BOMBS:
        producer.produce(unique, value=payload, key=b"p1")
    assert producer.flush(60) == 0
    kafka.produce(unique, plant.kafka_records(plant.records(1, 2)))
    check(service, 2 * plant.PER_WINDOW)


def test_mqtt(driftd, mosquitto, unique):
    service = driftd(plant.config([{"check": "count", "min": 1}], source={
        "mqtt": {"url": mosquitto.url, "topics": [f"{unique}/+"], "client_id": unique}})).wait_ready()
    mosquitto.publish([(f"{unique}/p1", payload) for payload, _ in BOMBS])
    mosquitto.publish([(f"{unique}/p1", json.dumps(row)) for row in plant.records(1, 2)])
    check(service, 2 * plant.PER_WINDOW)


JSON, LINES = "application/json", "application/x-ndjson"


def test_http(driftd):
    """As lines, each a record; as a JSON document what is none is refused whole. An empty body has no record."""
    service = driftd(plant.config([{"check": "count", "min": 1}])).wait_ready()
    send = lambda payload, kind: service.post("/api/v1/streams/plant/records", payload, headers={"Content-Type": kind})
    for payload, reason in BOMBS:
        if reason != "empty_payload":
            answer = send(payload, LINES)
            assert (answer.status, answer.json()) == (200, {"accepted": 1}), (reason, answer)
        if reason in ("not_an_object", "undecodable"):
            answer = send(payload, JSON)
            assert answer.status == 400 and "not a JSON object or array" in answer.json()["detail"], (reason, answer)
    plant.post(service, plant.records(1, 2))
    check(service, 2 * plant.PER_WINDOW, without=["empty_payload"])


@pytest.mark.parametrize("body,kind,status", [
    (b"[" * 2_000_000, JSON, 400), (b"[" + b"1," * 1_000_000, JSON, 400), (b"\0" * 1000, JSON, 400),
    (b'{"a":"' + b"x" * (40 * MIB), JSON, 413), (b"[" + b"1," * (8 * MIB - 2) + b"1]", JSON, 413), (b"1\n" * (8 * MIB), LINES, 413),
    (b"{}\n" * 100_001, LINES, 413), (b'[{"a":[' + b"1," * (8 * MIB - 8) + b"1]}]", JSON, 200),
    ((record(pad="x" * 81) + b"\n") * 100_000, LINES, 200)],
    ids=["levels", "numbers", "nul", "large", "array", "lines", "objects", "one", "records"])  # else pytest puts the bytes into the environment
def test_http_bodies(driftd, body, kind, status):
    """As many at once as are handled: what bodies of 16 MiB can be made to cost is bounded in docs/RELIABILITY.md."""
    service = driftd(plant.config([{"check": "count", "min": 1}])).wait_ready()
    with concurrent.futures.ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: service.post("/api/v1/streams/plant/records", body, headers={"Content-Type": kind}, timeout=120), range(8)))
    assert [answer.status for answer in answers] == [status] * 8, answers
    if status == 413:
        assert all("records" in a.json()["detail"] or "larger than" in a.json()["detail"] for a in answers), answers
    plant.post(service, plant.records(0, 1))
    metrics = service.wait_metric("driftd_records_total", plant.PER_WINDOW, stream="plant", result="accepted")
    if status != 200:
        assert metrics.get("driftd_records_total", stream="plant", result="rejected") == 0, "nothing of a refused body is taken"
    print(f"8 bodies of {len(body) / MIB:.1f} MiB: {service.peak_memory() >> 20} MiB at the peak")
    assert service.peak_memory() < 450 * MIB, f"{service.peak_memory() >> 20} MiB"
