"""Partitions that are lost, come back, are added or come from somebody else: no window is judged twice, by
half, or without a word. What was found is compared with a replay of the topic, line by line."""
import signal
import time

import pytest
from confluent_kafka import Producer

import plant
from driftd import Driftd, read_lines, run_driftd
from kafka_readers import read_all

ALL = ("--from", "2000-01-01T00:00:00Z", "--to", "2030-01-01T00:00:00Z")
CHECKS = [{"check": "count", "min": 1000}, {"check": "in_range", "field": "temperature", "min": 0, "max": 10}]


def config(kafka, topic, **source):
    return plant.config(
        CHECKS, service={"checkpoint_every": "60s"},
        source={"kafka": {"brokers": [kafka.bootstrap], "topics": [topic], "group": topic,
                          "options": {"session.timeout.ms": 6000, "reconnect.backoff.max.ms": 500}, **source}},
        stream_windows={"size": "10s", "lateness": "0s", "idle": "1h", "by": ["stream", "sensor"]})


def produce(kafka, topic, first, windows, partitions):
    """Each partition a sensor of its own."""
    for p in range(partitions):
        rows = plant.records(first, windows, sensor=f"s{p}")
        kafka.produce(topic, list(plant.kafka_records(rows)), partition=p)


def lasting(path):
    return [f for f in read_lines(path) if "closed_by" not in f.get("detail", {})]


def replay(service, topic, tmp_path):
    out = tmp_path / "replayed.jsonl"
    done = run_driftd("replay", service.config_path, "--stream", "plant", "--kafka", topic, *ALL, "--findings", out)
    assert done.returncode == 0, done.stderr
    return lasting(out)


def test_partitions_lost_and_won_back_are_judged_once_and_whole(driftd, kafka, unique, tmp_path):
    kafka.create_topic(unique, partitions=2)
    service = driftd(config(kafka, unique)).wait_ready()
    produce(kafka, unique, 0, 8, 2)
    service.wait_metric("driftd_records_total", 1600, stream="plant", result="accepted")
    service.child.send_signal(signal.SIGSTOP)  # longer than its session: the group gives its partitions away
    try:
        time.sleep(9)
        produce(kafka, unique, 8, 4, 2)
    finally:
        service.child.send_signal(signal.SIGCONT)
    service.wait(lambda: "partitions lost" in service.log(), "partitions lost", 40)
    service.wait_ready(40)
    produce(kafka, unique, 12, 4, 2)
    wanted = replay(service, unique, tmp_path)
    assert len(wanted) > 50
    service.wait(lambda: len(lasting(service.data_dir / "findings.jsonl")) >= len(wanted), "all findings", 60)
    assert service.terminate() == 0, service.log_tail()
    assert lasting(service.data_dir / "findings.jsonl") == wanted


def test_a_partition_without_state_goes_on_where_the_group_stood_and_warms_up(driftd, kafka, unique):
    kafka.create_topic(unique, partitions=2)
    first = driftd(config(kafka, unique)).wait_ready()
    produce(kafka, unique, 0, 5, 2)
    kafka.produce(unique, list(plant.kafka_records(list(plant.records(5, 1, sensor="s0"))[:50])), partition=0)
    first.wait_metric("driftd_records_total", 1050, stream="plant", result="accepted")
    assert first.terminate() == 0, first.log_tail()
    judged = {f["id"] for f in first.findings()}
    second = driftd(config(kafka, unique)).wait_ready()  # with a data directory of its own
    kafka.produce(unique, list(plant.kafka_records(list(plant.records(5, 1, sensor="s0"))[50:])), partition=0)
    kafka.produce(unique, list(plant.kafka_records(plant.records(5, 1, sensor="s1"))), partition=1)
    produce(kafka, unique, 6, 4, 2)
    found = second.wait_findings(lambda f: any(x["window"]["end"] == plant.window_start(9) for x in f), "window 8 judged")
    assert "warms up" in second.log()
    partial = [f for f in found if f["window"]["start"] == plant.window_start(5)]
    assert partial and all((f["verdict"], f["reason"]) == ("no_verdict", "warming_up") for f in partial), partial
    whole = [f for f in found if f["window"]["start"] == plant.window_start(7)]
    assert {(f["verdict"], f["segment"]["by"]) for f in whole} == {("fail", "stream"), ("fail", "sensor")}
    assert not judged & {f["id"] for f in found}, "nothing that was judged before is judged again"


@pytest.mark.parametrize("end", ["sigterm", "kill"])
@pytest.mark.parametrize("gate", [False, True], ids=["plain", "gate"])
def test_a_partition_that_another_one_had_meanwhile_is_not_judged_twice(driftd, kafka, unique, gate, end):
    """Two driftd, each with a data directory of its own, and one partition that goes to the other and comes back."""
    kafka.create_topic(unique, partitions=1)
    settings = config(kafka, unique)
    settings["service"]["checkpoint_every"] = "1s"
    out = unique + "-out"
    if gate:
        kafka.create_topic(out, partitions=1)
        settings["streams"]["plant"]["gate"] = {"valid": out, "invalid": out}
    first = driftd(settings).wait_ready()
    produce(kafka, unique, 0, 5, 1)
    first.wait_metric("driftd_records_total", 500, stream="plant", result="accepted")
    first.wait(lambda: kafka.committed(unique, unique)[0] == 500, "the group to know", 30)
    if end == "kill":
        first.kill9()
    else:
        assert first.terminate() == 0, first.log_tail()
    second = driftd(settings).wait_ready(60)
    produce(kafka, unique, 5, 20, 1)
    second.wait_metric("driftd_records_total", 2000, stream="plant", result="accepted")
    theirs = second.wait_findings(lambda f: any(x["window"]["end"] == plant.window_start(24) for x in f), "window 23 judged")
    first.start().wait_ready(60)
    assert second.terminate(within=30) == 0, second.log_tail()
    produce(kafka, unique, 25, 5, 1)
    ours = first.wait_findings(lambda f: any(x["window"]["end"] == plant.window_start(29) for x in f), "window 28 judged", 60)
    metrics = first.wait_metric("driftd_records_total", 500, stream="plant", result="accepted")
    assert metrics.get("driftd_records_total", stream="plant", result="accepted") == 500
    assert "warms up" in first.log()
    assert not {f["id"] for f in theirs} & {f["id"] for f in ours if f["window"]["start"] < plant.window_start(24)}
    cut = [f for f in ours if f["window"]["start"] == plant.window_start(25)]
    assert cut and all(f["verdict"] in ("no_verdict", "fail") for f in cut), cut
    assert first.terminate(within=30) == 0, first.log_tail()
    if gate:
        assert len(read_all(kafka, out)) == 3000, "each record once"


def test_a_partition_that_is_added_is_read_from_its_beginning(driftd, kafka, unique):
    kafka.create_topic(unique, partitions=1)
    kafka.produce(unique, list(plant.kafka_records(plant.records(0, 1))))
    service = driftd(config(kafka, unique, start="latest", options={"topic.metadata.refresh.interval.ms": 30000,
                                                                    "session.timeout.ms": 6000})).wait_ready()
    kafka.produce(unique, list(plant.kafka_records(plant.records(1, 1))))
    service.wait_metric("driftd_records_total", 100, stream="plant", result="accepted")
    kafka.add_partitions(unique, 2)
    kafka.produce(unique, list(plant.kafka_records(plant.records(1, 1, sensor="p2"))), partition=1)
    metrics = service.wait_metric("driftd_records_total", 200, stream="plant", result="accepted", timeout=60)
    assert metrics.get("driftd_records_total", stream="plant", result="accepted") == 200


def test_a_topic_of_transactions_is_read_to_its_end_and_falls_idle(driftd, kafka, unique):
    """What a commit or an abort leaves in the topic has an offset, but is no record."""
    kafka.create_topic(unique, partitions=1)
    settings = config(kafka, unique)
    settings["streams"]["plant"]["windows"]["idle"] = "2s"
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": unique})
    producer.init_transactions(20)
    rows = list(plant.kafka_records(plant.records(0, 2)))
    for begin in range(0, len(rows), 50):
        producer.begin_transaction()
        for key, value, timestamp, _ in rows[begin:begin + 50]:
            producer.produce(unique, value, key, timestamp=timestamp)
        if begin == 50:
            producer.flush(20)  # an abort throws away what was not sent, and a broker has no end for a transaction without records
            producer.abort_transaction(20)  # nobody who reads committed records sees these
        else:
            producer.commit_transaction(20)
    service = driftd(settings).wait_ready()
    service.wait_metric("driftd_records_total", 150, stream="plant", result="accepted")
    found = service.wait_findings(lambda f: any(x["window"]["start"] == plant.window_start(1) for x in f), "the last window, idle", 40)
    assert {f["detail"].get("closed_by") for f in found if f["window"]["start"] == plant.window_start(1)} == {"idle"}
    service.wait(lambda: service.metrics().get("driftd_source_lag", stream="plant") == 0, "no lag")
    metrics = service.metrics()
    assert metrics.get("driftd_records_total", stream="plant", result="accepted") == 150
    assert metrics.get("driftd_source_gaps_total", stream="plant") == 0


def test_one_driftd_a_data_directory(driftd):
    service = driftd(plant.config(CHECKS))
    other = Driftd(plant.config(CHECKS))
    try:
        other.data_dir = service.data_dir
        other.write_config(plant.config(CHECKS, service={"findings": {"log": "other.jsonl"}}))
        done = run_driftd("run", other.config_path, timeout=20)
    finally:
        other.close()
    assert done.returncode == 3 and f"another driftd runs with data_dir {service.data_dir}" in done.stderr, done
    assert service.get("/-/healthy").status == 200
