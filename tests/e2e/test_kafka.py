"""Three raw motes of the Intel lab through a real Kafka, judged with configs/intel.yaml."""
import collections
import time

import pytest

import data
import plant
from driftd import CONFIGS, Driftd
from plant import milliseconds

HOUR = 3600_000
LATENESS = 300_000
GAP = 900_000

# Records that are none: what is wrong with each, and the reason driftd must give.
GARBAGE = [
    (b'{"mote":"1","ts":1077929956027,"temperature":19.9', "undecodable"),
    (b"\xff\xfe\x00 not text", "undecodable"),
    (b"", "empty_payload"),
    (b"42", "not_an_object"),
    (b'{"ts":1077929956027,"temperature":20}', "missing_sensor"),
    (b'{"mote":"1","temperature":20}', "missing_time"),
    (b'{"mote":"1","ts":"yesterday","temperature":20}', "bad_time"),
    (b'{"mote":"1","ts":5,"temperature":20}', "absurd_time"),
    (b'{"mote":"1","ts":7000000000000,"temperature":20}', "future_time"),
]


@pytest.fixture(scope="module")
def rows():
    return list(data.intel())


@pytest.fixture(scope="module")
def topic(kafka, rows):
    """All rows in three partitions, the garbage spread among them."""
    messages = list(data.intel_messages(rows))
    for number, (value, _) in enumerate(GARBAGE):
        messages.insert((number + 1) * len(messages) // 10, (b"1", value, rows[0]["ts"], None))
    kafka.create_topic("intel", partitions=3)
    kafka.produce("intel", messages)
    return "intel"


@pytest.fixture(scope="module")
def judged(kafka, topic, rows):
    """driftd after it has read everything: the running service and its metrics."""
    with Driftd(CONFIGS / "intel.yaml", env={"KAFKA_BROKERS": kafka.bootstrap, "INTEL_TOPIC": topic}) as service:
        service.wait_ready()
        good = sum("garbage" not in row for row in rows)
        metrics = service.wait_metric("driftd_records_total", good, stream="intel", result="accepted", timeout=120)
        # The findings of the last closed hour of the latest mote are the last to come.
        last = max(row["ts"] for row in rows if "ts" in row)
        service.wait_metric("driftd_watermark_seconds", (last - LATENESS - 2 * 24 * HOUR) / 1000, stream="intel")
        yield service, metrics


def closed_hours(rows, mote, bad):
    """Starts of the hours in which a row of the mote is bad, of the hours its own rows have closed."""
    mine = [row for row in rows if row.get("mote") == str(mote)]
    until = mine[-1]["ts"] - LATENESS
    hours = {row["ts"] // HOUR * HOUR for row in mine if bad(row)}
    return {hour for hour in hours if hour + HOUR <= until}


def found_hours(service, rows, mote, **wanted):
    until = [row for row in rows if row.get("mote") == str(mote)][-1]["ts"] - LATENESS
    findings = service.findings(segment={"by": "sensor", "value": str(mote)}, verdict="fail", **wanted)
    starts = {milliseconds(f["window"]["start"]) for f in findings}
    return {hour for hour in starts if hour + HOUR <= until}


def test_every_row_is_accepted_and_only_garbage_rejected(judged, rows):
    service, metrics = judged
    garbage_rows = sum("garbage" in row for row in rows)
    assert metrics.get("driftd_records_total", stream="intel", result="accepted") == len(rows) - garbage_rows
    assert metrics.get("driftd_records_total", stream="intel", result="late") == 0
    service.wait_metric("driftd_records_total", len(GARBAGE) + garbage_rows, stream="intel", result="rejected")
    reasons = collections.Counter(reason for _, reason in GARBAGE)
    counted = {labels["reason"]: value for labels, value in service.metrics().all("driftd_rejects_total", stream="intel")
               if value}
    assert counted.pop("undecodable", 0) == reasons.pop("undecodable") + garbage_rows
    assert counted == reasons
    assert metrics.get("driftd_sensors", stream="intel") in (0, 3), "three motes"


@pytest.mark.parametrize("field,low,high,severity", [("temperature", 0, 50, "critical"), ("humidity", 0, 100, "warning"),
                                                     ("voltage", 2.2, 3.2, "info")])
@pytest.mark.parametrize("mote", data.MOTES)
def test_dying_batteries_are_found_in_every_hour_they_lie(judged, rows, mote, field, low, high, severity):
    service, _ = judged
    expected = closed_hours(rows, mote, lambda row: not low <= row.get(field, low) <= high)
    assert len(expected) > 50, "the data has many such hours"
    service.wait_findings(lambda _: found_hours(service, rows, mote, check="in_range", field=field) == expected,
                          f"hours with absurd values of {field} of mote {mote} == {len(expected)} expected ones")
    worst = service.findings(check="in_range", field=field, severity=severity, verdict="fail")
    assert worst and all(f["kind"] == "quality" and f["reason"] and f["n"] > 0 for f in worst)


@pytest.mark.parametrize("mote", data.MOTES)
def test_gaps_are_found_and_only_where_they_are(judged, rows, mote):
    service, _ = judged
    times = [row["ts"] for row in rows if row.get("mote") == str(mote)]
    gaps = [(a, b) for a, b in zip(times, times[1:]) if b - a > GAP]
    assert gaps, "the data has gaps"
    found = found_hours(service, rows, mote, check="gap")
    for before, after in gaps:
        if (after // HOUR + 1) * HOUR <= times[-1] - LATENESS:
            assert any(start + HOUR > before and start <= after for start in found), \
                f"silence of {(after - before) / 60000:.0f} min from {before} on was not found"
    for start in found:
        assert any(start + HOUR > before and start <= after for before, after in gaps), f"no gap near {start}"


def test_the_message_that_the_radio_delivered_twice_is_found(judged, rows):
    service, _ = judged
    seen, expected = set(), set()
    for row in rows:
        # A second delivery has the same counter and the same readings, seconds after the first.
        key = (row["mote"], row["epoch"], row["ts"] // HOUR, row.get("temperature"))
        if key in seen:
            expected.add((row["mote"], row["ts"] // HOUR * HOUR))
        seen.add(key)
    assert expected == {("6", 1077976800000)}, "one real duplicate, on 28 February"
    found = {(f["segment"]["value"], milliseconds(f["window"]["start"]))
             for f in service.findings(check="duplicate", verdict="fail") if f["segment"]["by"] == "sensor"}
    assert expected <= found, f"found {found}"


def test_lag_is_zero_and_nothing_is_skipped_after_a_restart(judged, kafka, topic):
    service, _ = judged
    service.wait(lambda: service.metrics().get("driftd_source_lag", stream="intel") == 0, "no lag")
    assert service.terminate() == 0, service.log_tail()
    ends = {p: high for p, (_, high) in kafka.watermarks(topic).items()}
    committed = kafka.committed(topic, "driftd-intel")
    assert {p: committed[p] or 0 for p in ends} == ends, "the group shows how far driftd came"
    before = len(service.findings())
    service.start().wait_ready()
    kafka.produce(topic, [(b"1", b'{"mote":"1","ts":1080709300000,"epoch":1,"temperature":20}', 1080709300000, None)])
    metrics = service.wait_metric("driftd_records_total", 1, stream="intel", result="accepted")
    assert metrics.get("driftd_records_total", stream="intel", result="rejected") == 0, "nothing is read twice"
    assert len(service.findings()) >= before


def test_the_group_shows_what_is_in_a_checkpoint_and_no_more(driftd, kafka, unique):
    kafka.create_topic(unique)
    source = {"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique}}
    config = plant.config([{"check": "count", "min": 0}], source=source, service={"checkpoint_every": "1h"})
    service = driftd(config).wait_ready()
    kafka.produce(unique, plant.kafka_records(plant.records(0, 2)))
    service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, stream="plant", result="accepted")
    time.sleep(3)   # longer than between two commits
    assert kafka.committed(unique, unique) == {0: None}
    assert service.terminate() == 0, service.log_tail()
    assert kafka.committed(unique, unique) == {0: 2 * plant.PER_WINDOW}
    service.start().wait_ready()
    kafka.produce(unique, plant.kafka_records(plant.records(2, 2)))
    service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, stream="plant", result="accepted")
    time.sleep(3)
    assert kafka.committed(unique, unique) == {0: 2 * plant.PER_WINDOW}


def test_a_silent_partition_is_found_silent_although_the_broker_holds_fetches_back(driftd, kafka, unique):
    """What is asked of the broker about its end comes behind an answer that waits for new records."""
    kafka.create_topic(unique, partitions=2)
    source = {"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique, "options": {"fetch.wait.max.ms": "3000"}}}
    config = plant.config([{"check": "count", "min": 0}], source=source, service={"findings": {"all": True}},
                          stream_windows={"size": "10s", "lateness": "0s", "idle": "1s", "by": ["stream"]})
    kafka.produce(unique, list(plant.kafka_records(plant.records(0, 4))), partition=0)
    service = driftd(config).wait_ready()
    service.wait(lambda: len(service.findings(check="count")) >= 3, "windows without the silent partition", 60)
    assert [f["value"] for f in service.findings(check="count")][:3] == [plant.PER_WINDOW] * 3


@pytest.mark.parametrize("gated", [False, True])
def test_topics_that_change_their_places(driftd, kafka, unique, gated):
    """Positions and states are of places; a topic in the place of another goes on where the group stands, and warms up."""
    topics = [f"{unique}-{name}" for name in "ab"]
    for topic in topics:
        kafka.create_topic(topic)
    gate = {"valid": f"{unique}-valid", "invalid": f"{unique}-invalid"}
    more = {"service": {"findings": {"all": True}}, **({"stream_gate": gate} if gated else {})}
    for topic in gate.values():
        kafka.create_topic(topic)
    source = {"brokers": [kafka.bootstrap], "topics": topics, "group": unique, "instance_id": "one"}
    service = driftd(plant.config([{"check": "count", "min": 1}], source={"kafka": source}, **more)).wait_ready()

    def send(first, windows):
        for topic in topics:
            kafka.produce(topic, plant.kafka_records(plant.records(first, windows, sensor=topic)))
    accepted = lambda: service.metrics().get("driftd_records_total", stream="plant", result="accepted")
    send(0, 3)
    service.wait(lambda: accepted() == 2 * 3 * plant.PER_WINDOW, "all of both")
    assert service.terminate() == 0
    send(3, 1)
    service.write_config(plant.config([{"check": "count", "min": 1}], source={"kafka": {**source, "topics": topics[::-1]}}, **more))
    service.start().wait_ready()
    send(4, 3)
    service.wait(lambda: len(service.findings(check="count")) >= 5, lambda: f"five windows: {service.findings(check='count')}")
    service.wait_metric("driftd_records_total", 2 * 4 * plant.PER_WINDOW, stream="plant", result="accepted")
    assert accepted() == 2 * 4 * plant.PER_WINDOW, "each record once"
    assert service.log().count("`topics` has another topic in its place than it had") == 2
    found = {f["window"]["start"]: (f.get("value"), f["verdict"]) for f in service.findings(check="count")}
    whole = (2 * plant.PER_WINDOW, "ok")
    assert [found[plant.window_start(n)] for n in (0, 1, 4, 5)] == [whole] * 4, found
    assert found[plant.window_start(3)][1] == "no_verdict", "it may have begun before"
