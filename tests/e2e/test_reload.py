"""Another configuration for a driftd that runs: all of it or nothing, and it says which."""
import copy
import json
import pathlib

import pytest

import plant
import servers
from driftd import run_driftd

CHECKS = [{"check": "in_range", "field": "temperature", "min": 0, "max": 50, "severity": "critical"}]


def config(webhook, path="/old", **alerts):
    return plant.config(copy.deepcopy(CHECKS), alerts={
        "for": 1, "notifiers": {"hook": {"type": "webhook", "url": webhook.url + path}}, **alerts})


def reload(service, changed):
    """Writes the configuration and reloads; returns the answer."""
    service.write_config(changed)
    return service.post("/-/reload", timeout=60)


def refused(service, changed, word):
    answer = reload(service, changed)
    assert 400 <= answer.status < 600 and word in answer.text, answer
    assert not answer.json()["detail"].endswith("\n"), answer
    assert service.metrics().get("driftd_config_last_reload_successful") == 0
    line = next(line for line in service.log().splitlines() if "new configuration is not applied" in line)
    assert r"\n" not in line[-4:], line


def applied(service, changed):
    answer = reload(service, changed)
    assert answer.status == 200, f"{answer}\n{service.log_tail()}"
    assert service.metrics().get("driftd_config_last_reload_successful") == 1


def types_of(webhook, path):
    return [json.loads(r.body)["type"] for r in webhook.received() if r.path == path]


def test_the_url_of_a_notifier(driftd, webhook):
    service = driftd(config(webhook)).wait_ready()
    plant.post(service, plant.records(0, 2, temperature=90))
    webhook.wait_count(1)
    service.wait_metric("driftd_notifications_total", 1, notifier="hook", result="delivered")
    applied(service, config(webhook, "/new"))
    plant.post(service, plant.records(2, 4))
    servers.wait_for(lambda: types_of(webhook, "/new"), "a message to the new URL")
    assert len(types_of(webhook, "/old")) == 1 and len(types_of(webhook, "/new")) == 1
    assert service.metrics().get("driftd_alerts", stream="plant", state="firing") == 0


def test_for(driftd, webhook):
    service = driftd(config(webhook, **{"for": 100})).wait_ready()
    plant.post(service, plant.records(0, 5, temperature=90))
    service.wait_metric("driftd_alerts", 1, stream="plant", state="pending")
    applied(service, config(webhook, **{"for": 2}))
    plant.post(service, plant.records(5, 2, temperature=90))
    webhook.wait_count(1)
    assert service.metrics().get("driftd_alerts", stream="plant", state="firing") == 1


def test_routes_and_receivers_that_come_and_go(driftd, webhook):
    """A new receiver is told of what fires; what waits for one that is gone is dropped, and said."""
    webhook.default = (503, {})
    service = driftd(config(webhook)).wait_ready()
    plant.post(service, plant.records(0, 2, temperature=90))
    webhook.wait_count(1)
    service.wait_metric("driftd_outbox_pending", 1)
    webhook.default = (200, {})
    changed = config(webhook)
    changed["alerts"]["notifiers"] = {"other": {"type": "webhook", "url": f"{webhook.url}/other"}}
    applied(service, changed)
    servers.wait_for(lambda: types_of(webhook, "/other"), "the new receiver is told")
    [told] = [json.loads(r.body) for r in webhook.received() if r.path == "/other"]
    assert told["data"]["alerts"][0]["state"] == "firing", told
    service.wait_metric("driftd_outbox_dropped_total", 1, reason="removed")
    service.wait(lambda: service.metrics().get("driftd_outbox_pending") == 0, "nothing waits")
    listed = run_driftd("outbox", "list", service.config_path).stdout
    assert "there is no such notifier any more" in listed, listed
    # Told once, and of the end.
    applied(service, changed)
    plant.post(service, plant.records(2, 4))
    servers.wait_for(lambda: len(types_of(webhook, "/other")) == 2, "and of the end")
    assert "alert.resolved" in types_of(webhook, "/other")[1]


def test_a_receiver_that_hangs_does_not_hold_up_a_reload(driftd, webhook):
    webhook.slow(30)
    service = driftd(config(webhook)).wait_ready()
    plant.post(service, plant.records(0, 2, temperature=90))
    [first] = webhook.wait_count(1)
    webhook.slow(0)
    applied(service, config(webhook, "/new"))
    again = webhook.wait_count(2, timeout=5)[1]
    assert again.path == "/new" and again.headers["webhook-id"] == first.headers["webhook-id"]


@pytest.mark.parametrize("key,value", [
    ("listen", "127.0.0.1:1"), ("workers", 7), ("limits", {"series": 999}), ("findings", {"all": True})])
def test_what_needs_a_restart_is_refused_and_named(driftd, webhook, key, value):
    service = driftd(config(webhook)).wait_ready()
    changed = config(webhook, "/new")
    changed["streams"]["more"] = changed["streams"]["plant"]
    changed["service"][key] = value
    refused(service, changed, f"service.{key}")
    assert [s["name"] for s in service.get("/api/v1/streams").json()["streams"]] == ["plant"]
    plant.post(service, plant.records(0, 2, temperature=90))
    webhook.wait_count(1)
    assert types_of(webhook, "/new") == [], "not one part of it"
    applied(service, config(webhook, "/new"))


def test_what_can_change_changes(driftd, webhook):
    quiet = config(webhook)
    quiet["service"]["checkpoint_every"] = "1h"
    service = driftd(quiet).wait_ready()
    changed = config(webhook)
    changed["service"]["log_level"] = "error"
    applied(service, changed)
    saved = lambda: pathlib.Path(service.data_dir / "state.db-wal").stat().st_mtime_ns
    before = saved()
    service.wait(lambda: saved() != before, "a checkpoint soon, not in an hour", 10)
    size = len(service.log())
    applied(service, {**changed, "alerts": {}})
    assert len(service.log()) == size, "nothing but errors is logged"


def test_a_stream_that_cannot_start_takes_nothing_with_it(driftd, webhook, tmp_path):
    """What had changed before it goes back, the old one goes on, the metric says 0."""
    service = driftd(config(webhook)).wait_ready()
    changed = config(webhook, "/new")
    changed["streams"]["plant"]["checks"][0]["max"] = 100
    changed["streams"]["zz"] = {**changed["streams"]["plant"],
                                "from": {"file": {"paths": [str(tmp_path / "absent.jsonl")], "format": "json_lines"}}}
    refused(service, changed, "absent.jsonl")
    assert [s["name"] for s in service.get("/api/v1/streams").json()["streams"]] == ["plant"]
    service.wait_ready()
    plant.post(service, plant.records(0, 2, temperature=90))
    service.wait_findings(len, "the old check", check="in_range", verdict="fail")


def test_a_stream_that_is_removed(driftd, webhook):
    """Its alerts end and say why, its series go."""
    both = config(webhook)
    both["streams"]["other"] = copy.deepcopy(both["streams"]["plant"])
    service = driftd(both).wait_ready()
    plant.post(service, plant.records(0, 2, temperature=90))
    webhook.wait_count(1)
    service.wait_metric("driftd_notifications_total", 1, notifier="hook", result="delivered")
    only = config(webhook)
    only["streams"] = {"other": both["streams"]["other"]}
    applied(service, only)
    resolved = json.loads(webhook.wait_count(2)[1].body)["data"]["alerts"][0]
    assert resolved["state"] == "resolved" and "the stream is no longer configured" in resolved["summary"]
    assert service.metrics().all("driftd_alerts", stream="plant") == []
    assert service.get("/api/v1/alerts").json()["alerts"] == []


def test_findings_are_there_after_a_restart(driftd, webhook):
    service = driftd(config(webhook)).wait_ready()
    plant.post(service, plant.records(0, 4, temperature=90))
    service.wait_findings(lambda f: len(f) >= 3, "findings")
    before = service.get("/api/v1/findings").json()["findings"]
    assert service.terminate() == 0
    service.start().wait_ready()
    after = service.get("/api/v1/findings").json()["findings"]
    assert after[:len(before)] == before or before[:len(after)] == after and after, "newest first, the same"


@pytest.mark.parametrize("merger", ["as old as the partition", "newer"])
def test_checks_do_not_change_while_a_stream_comes_after_what_it_had_judged(driftd, unique, merger):
    """It has lost its partitions: else windows since the checkpoint from which it goes on would be judged by both configurations.
    Its merger goes on, and is in a checkpoint that comes meanwhile."""
    with servers.Kafka() as kafka:
        kafka.create_topic(unique)
        old = plant.config([{"check": "count", "min": 1}], service={"findings": {"all": True}, "checkpoint_every": "1h"},
                           source={"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique,
                                             "options": {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500",
                                                         "reconnect.backoff.max.ms": "500"}}})
        new = copy.deepcopy(old)
        new["streams"]["plant"]["checks"][0]["min"] = 2
        service = driftd(old).wait_ready()
        starts = lambda: [f["window"]["start"] for f in service.findings(check="count")]
        judged = lambda n: service.wait(lambda: starts() == [plant.window_start(i) for i in range(n)],
                                        lambda: f"{n} windows, once each: {starts()}", 90)
        kafka.produce(unique, plant.kafka_records(plant.records(0, 3)))
        judged(2)
        assert service.terminate() == 0, "with a checkpoint"
        service.start().wait_ready()
        kafka.produce(unique, plant.kafka_records(plant.records(3, 3)))
        judged(5)
        kafka.stop()
        service.wait(lambda: "partitions lost" in service.log(), "its session is over", timeout=60)
        if merger == "newer":
            for config_ in (old, new):
                config_["streams"]["other"] = {**copy.deepcopy(old["streams"]["plant"]), "from": {"http": {}}}
            applied(service, old)   # with a checkpoint
        for _ in range(2):
            refused(service, new, "stream plant cannot change now")
        kafka.start()
        kafka.produce(unique, plant.kafka_records(plant.records(6, 2)))
        judged(7)
        applied(service, new)
        kafka.produce(unique, plant.kafka_records(plant.records(8, 3)))
        # The window that was open when it changed ends without a verdict.
        service.wait(lambda: starts() == [plant.window_start(i) for i in (*range(7), 8, 9)],
                     lambda: f"no window twice: {starts()}")
