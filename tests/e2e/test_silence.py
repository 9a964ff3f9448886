"""An alert about a sensor that falls silent is not well again: it lasts until the sensor is heard of. A partition in
which nothing can be read is silent too."""
import json

import pytest
from confluent_kafka import Producer

import plant
from driftd import run_driftd


def config():
    return plant.config([{"check": "in_range", "field": "temperature", "min": 0, "max": 50, "by": "sensor"}],
                        alerts={"for": 1, "notifiers": {"log": {"type": "log"}}},
                        stream_windows={"size": "10s", "lateness": "0s", "idle": "1h", "by": ["stream", "sensor"]})


def both(first, windows, **fields):
    return sorted([*plant.records(first, windows, sensor="p0"), *plant.records(first, windows, sensor="p1", **fields)],
                  key=lambda row: row["ts"])


def test_a_silent_sensor_keeps_its_alert(driftd, tmp_path):
    # One virtual partition would be enough; sensors of others only need a record of a later window each.
    rows = [*both(0, 2, temperature=90), *plant.records(2, 6, sensor="p0"), *both(8, 3)]
    quiet = [row for row in rows if row["ts"] < plant.START + 8 * plant.WINDOW]
    path = tmp_path / "rows.jsonl"
    source = {"file": {"paths": [str(path)], "format": "json_lines"}}
    live = config()
    live["streams"]["plant"]["from"] = source
    path.write_text(plant.lines(quiet))
    service = driftd(live).wait_ready()
    service.wait(lambda: service.metrics().get("driftd_watermark_seconds", stream="plant") * 1000
                 >= plant.START + 7 * plant.WINDOW, "the silent windows are closed")
    [alert] = service.get("/api/v1/alerts").json()["alerts"]
    assert alert["state"] == "firing" and alert["segment"] == {"by": "sensor", "value": "p1"}, alert
    assert service.terminate() == 0

    def replayed(some):
        path.write_text(plant.lines(some))
        out = tmp_path / "alerts.jsonl"
        done = run_driftd("replay", service.config_path, "--input", path, "--alerts", out)
        assert done.returncode == 0, done
        return [json.loads(line) for line in out.read_text().splitlines()]

    [fired] = replayed(quiet)
    assert fired["starts_at"] == alert["starts_at"] and fired["fingerprint"] == alert["fingerprint"]
    fired, resolved = replayed(rows)
    assert (fired["state"], resolved["state"]) == ("firing", "resolved")
    assert resolved["ends_at"] == plant.window_start(9), "the end of its first good window"
    assert resolved["summary"].endswith("is well again after 2 bad windows")


def counted(service):
    """How many records each window has, by its start. A slow machine lets the clock close more of them, which are empty."""
    return {f["window"]["start"]: f["n"] for f in service.findings(check="count")}


def judged_amid_rejects(service, windows, reject):
    """Waits until these windows are judged, while records that cannot be read keep coming, each well within `idle`."""
    def enough():
        reject()
        return plant.window_start(windows[-1]) in counted(service)
    service.wait(enough, lambda: f"window {windows[-1]}; there are {counted(service)}", timeout=30)
    found = counted(service)
    assert [found[plant.window_start(w)] for w in windows] == [plant.PER_WINDOW] * len(windows)
    metrics = service.metrics()
    assert metrics.get("driftd_rejects_total", stream="plant") > 3, "they came all the while"
    assert metrics.get("driftd_late_records_total", stream="plant") == 0


def short_idle(source=None):
    return plant.config([{"check": "count", "min": 1}], source=source, service={"findings": {"all": True}},
                        stream_windows={"size": "10s", "lateness": "0s", "idle": "2s", "by": ["stream"]})


def test_windows_do_not_wait_for_a_partition_of_nothing_but_rejects(driftd):
    service = driftd(short_idle()).wait_ready()
    post_rejects = lambda: service.post("/api/v1/streams/plant/records", "{}\n", headers={"Content-Type": "application/x-ndjson"})
    plant.post(service, plant.records(0, 5))
    judged_amid_rejects(service, range(5), post_rejects)
    plant.post(service, plant.records(6, 2))
    judged_amid_rejects(service, range(6, 8), post_rejects)


def test_nor_for_one_of_a_topic_whose_records_are_judged_once_it_has_some(driftd, kafka, unique):
    kafka.create_topic(unique, partitions=2)
    service = driftd(short_idle({"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique}})).wait_ready()

    producer = Producer({"bootstrap.servers": kafka.bootstrap, "log_level": 0})

    def reject():
        producer.produce(unique, b"{", partition=1)
        assert producer.flush(60) == 0

    kafka.produce(unique, plant.kafka_records(plant.records(0, 5)), partition=0)
    judged_amid_rejects(service, range(5), reject)
    kafka.produce(unique, plant.kafka_records(plant.records(6, 2)), partition=1)
    judged_amid_rejects(service, range(6, 8), reject)


@pytest.mark.parametrize("clock", ["set back", "stands still", "years behind"])
def test_nor_for_a_sensor_whose_clock_is_wrong(driftd, clock):
    """Alone in its partition it sends all the while; the others are judged, and it counts as late."""
    service = driftd(short_idle()).wait_ready()
    good = list(plant.records(0, 9))
    wrong = {"set back": good[0]["ts"] - 86_400_000, "stands still": good[0]["ts"], "years behind": 946_684_800_000}[clock]
    if clock == "set back":
        plant.post(service, [good[0], {**good[0], "sensor": "wrong"}])
    sent = 0

    def send():
        nonlocal sent
        step = 0 if clock == "stands still" else sent
        plant.post(service, [{**good[0], "sensor": "wrong", "ts": wrong + step}])
        sent += 1
        if rows := good[10 * (sent - 1):10 * sent]:
            plant.post(service, rows)
        return len(service.findings(check="count")) >= 5
    service.wait(send, lambda: f"windows go on; there are {len(service.findings(check='count'))}", timeout=60)
    # Set right, it counts at once.
    plant.post(service, [{**row, "sensor": name} for row in plant.records(20, 1) for name in ("wrong", good[0]["sensor"])])
    plant.post(service, plant.records(22, 2))
    plant.post(service, [{**row, "sensor": "wrong"} for row in plant.records(22, 2)])
    judged = lambda: [f["n"] for f in service.findings(check="count") if f["window"]["start"] == plant.window_start(20)]
    service.wait(judged, "the window of when it was right", timeout=30)
    assert judged() == [2 * plant.PER_WINDOW]
    assert service.metrics().get("driftd_late_records_total", stream="plant") > 3, "what came before is late, and counted"


def test_a_plant_that_stops_is_silent_however_many_topics_it_has(driftd, kafka, unique):
    """The broker holds back each answer, so that to ask for one topic after the other would take too long."""
    topics = [f"{unique}-{n}" for n in range(20)]
    for topic in topics:
        kafka.create_topic(topic)
    service = driftd(short_idle({"kafka": {"brokers": [kafka.bootstrap], "topics": topics, "group": unique,
                                           "options": {"fetch.wait.max.ms": "500"}}})).wait_ready()
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "log_level": 0})  # one, so that none is `idle` before the last is sent
    for topic in topics:
        for key, value, time, _ in plant.kafka_records(plant.records(0, 1, sensor=topic)):
            producer.produce(topic, value, key, timestamp=time)
    assert producer.flush(60) == 0
    service.wait(lambda: service.findings(check="count"), "its last window", timeout=30)
    found = service.findings(check="count")[0]  # the clock closes the next one ten seconds later
    assert found["value"] == len(topics) * plant.PER_WINDOW and found["detail"]["closed_by"] == "idle", found
