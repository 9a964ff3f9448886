"""driftd quarantine: what was rejected is listed, shown, and sent again once the configuration is right."""
import json
import re

import pytest

import plant
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
    service.wait_metric("driftd_quarantine_bytes", 1, stream="plant")

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
            "topic": "bad", "brokers": [kafka.bootstrap], "options": {"message.timeout.ms": "2000", "reconnect.backoff.max.ms": "500"}})
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
