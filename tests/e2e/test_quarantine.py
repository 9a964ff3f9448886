"""driftd quarantine: what was rejected is listed, shown, and sent again once the configuration is right."""
import json
import re

import pytest

import plant
import stored
from driftd import run_driftd
from servers import Kafka, WebhookReceiver

CHECKS = [{"check": "count", "min": 1}]


def quarantined(driftd, source=None):
    """A service that has rejected three kinds of records; its configuration asks for the field `when`."""
    config = plant.config(CHECKS, source=source)
    config["streams"]["plant"]["decode"]["max_record"] = "8KiB"
    return driftd(config).wait_ready()


def test_list_show_and_replay_to_a_running_driftd(driftd, tmp_path):
    service = quarantined(driftd)
    good = plant.lines(plant.records(0, 1))
    renamed = good.replace('"sensor"', '"device"')
    long = '{"sensor":"p1","pad":"' + "x" * 9000 + '"}\n'
    answer = service.post("/api/v1/streams/plant/records", renamed + '{"broken":\n' + long, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status == 200, answer
    service.wait_metric("driftd_rejects_total", plant.PER_WINDOW, stream="plant", reason="missing_sensor")
    service.wait_metric("driftd_rejects_total", 1, stream="plant", reason="too_large")
    stored.wait_checkpoint(service)  # behind it the quarantine has all of them on the disk

    listed = run_driftd("quarantine", "list", service.config_path)
    assert listed.returncode == 0, listed
    assert re.search(rf"^plant: {plant.PER_WINDOW + 2} records, \d+ bytes, \S+Z to \S+Z$", listed.stdout, re.M), listed.stdout
    for line in (f"  {plant.PER_WINDOW} missing_sensor", "  1 undecodable", "  1 too_large", "  1 of them were too long to keep whole"):
        assert line in listed.stdout.splitlines(), listed.stdout

    shown = run_driftd("quarantine", "show", service.config_path, "--reason", "undecodable").stdout
    assert r'"{\"broken\":"' in shown and len(shown.splitlines()) == 2, shown
    assert len(run_driftd("quarantine", "show", service.config_path, "--limit", "3").stdout.splitlines()) == 6

    report = run_driftd("quarantine", "replay", service.config_path).stdout
    assert "of which 0 would be accepted now" in report, report
    # With the field's new name, the records that lacked it are good.
    service.config_path.write_text(service.config_path.read_text().replace("sensor: sensor", "sensor: device"))
    report = run_driftd("quarantine", "replay", service.config_path).stdout
    assert f"of which {plant.PER_WINDOW} would be accepted now" in report, report
    assert f"  {plant.PER_WINDOW} missing_sensor -> accepted" in report.splitlines(), report
    assert "  1 too_large -> not kept whole" in report.splitlines(), report
    assert service.metrics().get("driftd_records_total", result="accepted") == 0, "a report sends nothing"

    assert service.post("/-/reload").status == 200
    service.wait_ready()
    sent = run_driftd("quarantine", "replay", service.config_path, "--to", service.url, "--reason", "missing_sensor")
    assert sent.returncode == 0 and f"  {plant.PER_WINDOW} sent to {service.url}" in sent.stdout.splitlines(), sent
    service.wait_metric("driftd_records_total", plant.PER_WINDOW, stream="plant", result="accepted")
    assert service.metrics().get("driftd_rejects_total", reason="missing_sensor") == plant.PER_WINDOW, "none was rejected again"


@pytest.mark.parametrize("by", ["timer", "reload"])
def test_a_kill_loses_no_reject_that_a_checkpoint_is_past(driftd, by):
    config = plant.config(CHECKS, service={"checkpoint_every": "200ms" if by == "timer" else "1h"})
    service = driftd(config).wait_ready()

    def behind():
        """How many records the newest checkpoint is past: a journal's numbers go through all partitions."""
        inspected = json.loads(run_driftd("store", "inspect", service.config_path, "--json").stdout)
        return max((part.get("position", 0) for point in inspected["checkpoints"] for part in point["parts"]), default=0)

    assert service.post("/api/v1/streams/plant/records", "{}\n" * 50, headers={"Content-Type": "application/x-ndjson"}).status == 200
    service.wait_metric("driftd_rejects_total", 50, stream="plant")
    if by == "reload":
        config["streams"]["plant"]["windows"]["size"] = "20s"
        service.write_config(config)
        assert service.post("/-/reload").status == 200
    service.wait(lambda: behind() == 50, lambda: f"a checkpoint that is past them, not {behind()}")
    service.kill9()
    assert run_driftd("quarantine", "list", service.config_path).stdout.startswith("plant: 50 records")
    service.start().wait_ready()
    assert run_driftd("quarantine", "list", service.config_path).stdout.startswith("plant: 50 records")


def test_replay_to_a_kafka_topic(driftd, kafka, unique):
    kafka.create_topic(unique)
    source = {"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique}}
    service = quarantined(driftd, source)
    kafka.produce(unique, [(key, value.replace(b'"sensor"', b'"device"'), *rest)
                           for key, value, *rest in plant.kafka_records(plant.records(0, 1))])
    service.wait_metric("driftd_rejects_total", plant.PER_WINDOW, stream="plant", reason="missing_sensor")
    service.wait_metric("driftd_quarantine_bytes", 1, stream="plant")
    service.terminate(within=15)
    service.config_path.write_text(service.config_path.read_text().replace("sensor: sensor", "sensor: device"))
    done = run_driftd("quarantine", "replay", service.config_path, "--to", f"kafka:{unique}")
    assert done.returncode == 0 and f"  {plant.PER_WINDOW} sent to kafka:{unique}" in done.stdout.splitlines(), done
    assert counted(run_driftd("quarantine", "replay", service.config_path, "--to", f"kafka:{unique}")) == (0, plant.PER_WINDOW)
    service.start().wait_ready()
    service.wait_metric("driftd_records_total", plant.PER_WINDOW, stream="plant", result="accepted")


def counted(done):
    """(sent, left out because they were sent before) as a replay's report says."""
    found = [re.search(rf"^  (\d+) {what}", done.stdout, re.M) for what in ("sent to", "not sent: they were sent there before")]
    return tuple(int(match[1]) if match else 0 for match in found)


def test_a_replay_sends_nothing_twice(driftd):
    """Not when it is done again, nor when it broke off: 1000 records are a batch."""
    service = quarantined(driftd)
    bad = plant.lines(plant.records(0, 25)).replace('"sensor"', '"device"')  # 2500
    assert service.post("/api/v1/streams/plant/records", bad, headers={"Content-Type": "application/x-ndjson"}).status == 200
    service.wait_metric("driftd_rejects_total", 2500, stream="plant")
    service.wait_metric("driftd_quarantine_bytes", 1, stream="plant")
    service.terminate(within=15)
    service.config_path.write_text(service.config_path.read_text().replace("sensor: sensor", "sensor: device"))

    def replay(to, *options):
        return run_driftd("quarantine", "replay", service.config_path, "--to", to, *options)

    with WebhookReceiver(answers=[(200, {}), (400, {})]) as receiver:
        done = replay(receiver.url)
        assert done.returncode != 0 and "400" in done.stderr and counted(done) == (1000, 0), done
        done = replay(receiver.url + "/")
        assert done.returncode == 0 and counted(done) == (1500, 1000), done
        done = replay(receiver.url)
        assert done.returncode == 0 and counted(done) == (0, 2500), done
        taken = [record["ts"] for request in receiver.received() if request.status == 200 for record in json.loads(request.body)]
        assert taken == [row["ts"] for row in plant.records(0, 25)], "each once, in order"
        done = replay(receiver.url, "--again")
        assert done.returncode == 0 and counted(done) == (2500, 0), done
        with WebhookReceiver() as other:
            assert counted(replay(other.url)) == (2500, 0), "what is noted is of one destination"
    assert run_driftd("quarantine", "replay", service.config_path, "--again").returncode == 2, "of what is sent"


def test_rejects_go_to_a_kafka_topic_too(driftd):
    """Whole, with reason and position in headers. Without the broker they are dropped and counted, and the
    stream goes on; when it is back, they go there again."""
    ndjson = {"Content-Type": "application/x-ndjson"}
    with Kafka() as kafka:
        kafka.create_topic("bad")
        config = plant.config(CHECKS, stream_quarantine={
            "topic": "bad", "brokers": [kafka.bootstrap], "options": {"message.timeout.ms": "10000", "reconnect.backoff.max.ms": "500"}})
        service = driftd(config).wait_ready()
        broken = '{"broken":' + "x" * 8000
        assert service.post("/api/v1/streams/plant/records", broken + "\n{}\n", headers=ndjson).status == 200
        service.wait_metric("driftd_quarantine_topic_records_total", 2, stream="plant", result="sent")
        kafka.stop()
        plant.post(service, plant.records(0, 2))
        assert service.post("/api/v1/streams/plant/records", "{}\n" * 5, headers=ndjson).status == 200
        service.wait_metric("driftd_quarantine_topic_records_total", 5, stream="plant", result="dropped")
        service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, stream="plant", result="accepted")
        assert service.get("/-/ready").status == 200, "the stream does not need the topic"
        kafka.start()
        kafka.watermarks("bad")  # waits until the partition has its leader
        assert service.post("/api/v1/streams/plant/records", "[]\n", headers=ndjson).status == 200
        metrics = service.wait_metric("driftd_quarantine_topic_records_total", 3, stream="plant", result="sent")
        assert metrics.get("driftd_quarantine_topic_records_total", stream="plant", result="dropped") == 5
        messages = [(message.value(), {name: value.decode() for name, value in message.headers()}) for message in kafka.consume("bad")]
    assert sorted(value for value, _ in messages) == sorted([broken.encode(), b"{}", b"[]"])
    for value, headers in messages:
        assert headers["driftd-verdict"] == "reject" and headers["driftd-stream"] == "plant"
        assert headers["driftd-reason"] == {b"{}": "missing_sensor", b"[]": "not_an_object"}.get(value, "undecodable")
        assert re.fullmatch(r"\d+/\d+", headers["driftd-position"]), headers
    listed = run_driftd("quarantine", "list", service.config_path).stdout
    assert listed.startswith("plant: 8 records"), "the disk has them all: " + listed


RANGE = [{"check": "in_range", "field": "temperature", "min": 0, "max": 50},
         {"check": "in_range", "name": "tight", "field": "temperature", "min": 15, "max": 50},
         {"check": "in_range", "name": "only_for_information", "field": "temperature", "min": 0, "max": 10, "severity": "info"}]


def mixed():
    """(bodies, those that fail): one window, of which some fail one check, some two, one cannot be read."""
    rows = list(plant.records(0, 1))
    for number, temperature in ((7, 12.0), (20, 99.0), (55, 99.5)):
        rows[number]["temperature"] = temperature
    bodies = [json.dumps(row) for row in rows]
    return bodies[:30] + ['{"broken":'] + bodies[30:], [bodies[7], bodies[20], bodies[55]]


def check_failed_are_kept(service, source, bad):
    metrics = service.wait_metric("driftd_records_total", plant.PER_WINDOW, stream="plant", result="accepted")
    service.wait_metric("driftd_rejects_total", 1, stream="plant")
    assert metrics.get("driftd_records_total", stream="plant", result="rejected") <= 1, "they are accepted"
    metrics = service.wait_metric("driftd_quarantine_failed_total", 3, stream="plant")
    assert metrics.get("driftd_quarantine_failed_total", check="in_range") == 2, "of the first that failed"
    assert metrics.get("driftd_quarantine_failed_total", check="tight") == 1
    assert metrics.get("driftd_quarantine_failed_total", check="only_for_information") == 0
    assert service.terminate(within=15) == 0
    listed = run_driftd("quarantine", "list", service.config_path).stdout
    assert listed.startswith("plant: 4 records") and "  3 failed" in listed.splitlines(), listed
    shown = run_driftd("quarantine", "show", service.config_path, "--reason", "failed").stdout
    assert "failed (tight of temperature: out_of_range (12))" in shown, shown
    assert "failed (in_range of temperature: out_of_range (99); failed: in_range,tight)" in shown, shown
    kept = [json.loads(line) for line in shown.splitlines() if line.startswith("  \"")]
    assert sorted(kept) == sorted(bad), f"whole, from {source}"
    done = run_driftd("quarantine", "replay", service.config_path)
    assert "plant: 1 records, of which 0 would be accepted now" in done.stdout and "  3 left out" in done.stdout, done
    done = run_driftd("quarantine", "replay", service.config_path, "--failed")
    assert "plant: 4 records, of which 3 would be accepted now" in done.stdout, done


def test_records_that_fail_a_check_are_kept_of_http(driftd):
    bodies, bad = mixed()
    service = driftd(plant.config(RANGE, stream_quarantine={"failed": True})).wait_ready()
    answer = service.post("/api/v1/streams/plant/records", "\n".join(bodies) + "\n", headers={"Content-Type": "application/x-ndjson"})
    assert answer.status == 200, answer
    check_failed_are_kept(service, "http", bad)


def test_records_that_fail_a_check_are_kept_of_mqtt(driftd, mosquitto, unique):
    bodies, bad = mixed()
    source = {"mqtt": {"url": mosquitto.url, "topics": [f"{unique}/+"], "client_id": unique}}
    service = driftd(plant.config(RANGE, source=source, stream_quarantine={"failed": True})).wait_ready()
    mosquitto.publish((f"{unique}/p1", body) for body in bodies)
    check_failed_are_kept(service, "mqtt", bad)


def test_records_that_fail_a_check_are_kept_of_a_file(driftd, tmp_path):
    bodies, bad = mixed()
    path = tmp_path / "records.jsonl"
    path.write_text("\n".join(bodies) + "\n")
    source = {"file": {"paths": [str(path)], "format": "json_lines"}}
    check_failed_are_kept(driftd(plant.config(RANGE, source=source, stream_quarantine={"failed": True})), "file", bad)


def test_records_that_fail_a_check_go_to_the_topic_too(driftd, kafka, unique):
    """Beside a gate the quarantine takes what the gate calls invalid."""
    for topic in (unique, f"{unique}.invalid", f"{unique}.bad"):
        kafka.create_topic(topic)
    source = {"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique}}
    service = driftd(plant.config(RANGE, source=source, stream_quarantine={"failed": True, "topic": f"{unique}.bad"},
                                  stream_gate={"invalid": f"{unique}.invalid", "checks": ["in_range"]})).wait_ready()
    bodies, bad = mixed()
    kafka.produce(unique, [(b"p1", body.encode(), plant.START, None) for body in bodies])
    service.wait_metric("driftd_quarantine_topic_records_total", 3, stream="plant", result="sent")
    service.wait_metric("driftd_gate_records_total", 3, stream="plant")
    messages = [(message.value().decode(), {name: value.decode() for name, value in message.headers()})
                for message in kafka.consume(f"{unique}.bad")]
    invalid = {value: headers for value, headers in messages if headers["driftd-verdict"] == "invalid"}
    assert sorted(invalid) == sorted(bad[1:]) and len(messages) == 3, messages
    assert invalid[bad[1]] == {"driftd-verdict": "invalid", "driftd-stream": "plant", "driftd-position": f"{unique}/0/20",
                               "driftd-check": "in_range", "driftd-field": "temperature", "driftd-reason": "out_of_range",
                               "driftd-detail": "99"}
    assert service.metrics().get("driftd_quarantine_failed_total", stream="plant") == 2


def test_replay_says_why_it_cannot_send(driftd):
    service = quarantined(driftd)
    plant.post(service, plant.records(0, 1))
    service.post("/api/v1/streams/plant/records", "{}\n", headers={"Content-Type": "application/x-ndjson"})
    service.wait_metric("driftd_quarantine_bytes", 1, stream="plant")
    for target, word in (("kafka:t", "reads from http"), ("ftp://x", "--to")):
        done = run_driftd("quarantine", "replay", service.config_path, "--to", target)
        assert done.returncode != 0 and word in done.stderr, done
    for action in ("list", "show", "replay"):
        done = run_driftd("quarantine", action, service.config_path, "--stream", "plnt")
        assert done.returncode == 2 and "plant" in done.stderr and not done.stdout, done
