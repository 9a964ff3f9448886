"""Webhooks as standardwebhooks.com has them: signed, retried under one id, never lost."""
import base64
import hashlib
import hmac
import json
import time

import pytest

import plant
from driftd import run_driftd

SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def config(webhook, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("whsec_" + base64.b64encode(SECRET).decode() + "\n")
    return plant.config(
        [{"check": "in_range", "field": "temperature", "min": 0, "max": 50, "severity": "critical"}],
        alerts={"for": 1, "routes": [{"match": {"severity": "critical"}, "to": ["hook"]}],
                "notifiers": {"hook": {"type": "webhook", "url": f"{webhook.url}/driftd", "secret_file": str(secret)}}})


def verify(request, earliest):
    """Checks the signature and the body; returns the webhook-id. `earliest`: when this attempt can have begun."""
    headers = request.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    expected = "v1," + base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert expected in headers["webhook-signature"].split(" "), "the signature is that of id, time and body"
    assert int(earliest) <= int(headers["webhook-timestamp"]) <= request.at, "the time is that of the attempt"
    assert "." not in headers["webhook-id"]
    assert headers["Content-Type"].startswith("application/cloudevents+json")
    body = json.loads(request.body)
    assert body["specversion"] == "1.0" and body["id"] == headers["webhook-id"], body
    assert body["type"] and body["source"] and "plant" in json.dumps(body["data"]), body
    return headers["webhook-id"]


def misbehave(service, first=0):
    plant.post(service, plant.records(first, 2, temperature=90))


def test_signed_and_retried_under_one_id(driftd, webhook, config):
    webhook.answer((503, {"Retry-After": "2"}), (429, {"Retry-After": "1"}))
    service = driftd(config).wait_ready()
    begin = time.time()
    misbehave(service)
    requests = webhook.wait_count(3, timeout=60)[:3]
    earliest = [begin, requests[0].at + 2, requests[1].at + 1]
    assert len({verify(*r) for r in zip(requests, earliest)}) == 1, "every attempt has the same id"
    assert len({r.body for r in requests}) == 1
    assert 2 <= requests[1].at - requests[0].at < 15, "Retry-After is obeyed"
    assert requests[0].method == "POST" and requests[0].path == "/driftd"
    service.wait_metric("driftd_notifications_total", 1, notifier="hook", result="delivered")
    service.wait(lambda: service.metrics().get("driftd_outbox_pending") == 0, "an empty outbox")
    assert service.metrics().get("driftd_notifications_total", notifier="hook", result="retry") == 2
    assert service.log().count("notifier cannot be reached; trying again") == 1, "said once an outage"
    assert SECRET.decode() not in service.log() + service.get("/api/v1/alerts").text
    # The end of the alert is another message.
    begin = time.time()
    plant.post(service, plant.records(2, 4))
    resolved = webhook.wait_count(4)[3]
    assert verify(resolved, begin) != requests[0].headers["webhook-id"]


def test_a_message_outlives_a_kill(driftd, webhook, config):
    webhook.default = (503, {})
    service = driftd(config).wait_ready()
    begin = time.time()
    misbehave(service)
    first = verify(webhook.wait_count(1)[0], begin)
    service.kill9()
    webhook.default = (200, {})
    tried = len(webhook.received())
    service.start().wait_ready()
    before, again = webhook.wait_count(tried + 1, timeout=60)[tried - 1:tried + 1]
    assert verify(again, before.at) == first, "the same message, not another one"
    service.wait_metric("driftd_notifications_total", 1, notifier="hook", result="delivered")
    service.kill9()
    service.start().wait_ready()
    time.sleep(2)
    assert {r.headers["webhook-id"] for r in webhook.received()} == {first}, "nothing new came of the restarts"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_receiver_that_is_redeployed_or_changes_its_secrets_loses_nothing(driftd, webhook, config, status, tmp_path):
    """What it answers meanwhile says nothing about the message; a new secret is read at the next attempt."""
    webhook.default = (status, {})
    service = driftd(config).wait_ready()
    (tmp_path / "secret").write_text("whsec_" + base64.b64encode(bytes(32)).decode())
    misbehave(service)
    first = webhook.wait_count(1)[0]
    (tmp_path / "secret").write_text("whsec_" + base64.b64encode(SECRET).decode())
    tried = len(webhook.received())
    webhook.default = (200, {})
    again = webhook.wait_count(tried + 1, timeout=90)[-1]
    assert verify(again, first.at) == first.headers["webhook-id"]
    service.wait_metric("driftd_notifications_total", 1, notifier="hook", result="delivered")
    assert not any(n for _, n in service.metrics().all("driftd_outbox_dropped_total"))


@pytest.mark.parametrize("status,result", [(410, "gone"), (400, "rejected"), (302, "rejected")])
def test_an_answer_that_is_final(driftd, webhook, config, status, result):
    webhook.default = (status, {"Location": "/elsewhere"} if status == 302 else {})
    service = driftd(config).wait_ready()
    misbehave(service)
    service.wait_metric("driftd_notifications_total", 1, notifier="hook", result=result)
    service.wait_metric("driftd_outbox_dropped_total", 1)
    assert {r.path for r in webhook.received()} == {"/driftd"}, "a redirect is not followed"


def test_a_receiver_that_hangs_does_not_hold_up_the_end(driftd, webhook, config):
    """Three receivers that take the message and never answer: SIGTERM ends driftd all the same, and the
    message comes under the same id after a restart."""
    notifiers = config["alerts"]["notifiers"]
    notifiers["second"] = {"type": "webhook", "url": f"{webhook.url}/second"}
    notifiers["am"] = {"type": "alertmanager", "urls": [f"{webhook.url}/am"]}
    config["alerts"]["routes"][0]["to"] = ["hook", "second", "am"]
    webhook.slow(40)
    service = driftd(config).wait_ready()
    misbehave(service)
    [first] = webhook.wait_count(1)
    begin = time.monotonic()
    assert service.terminate() == 0, service.log_tail()
    assert time.monotonic() - begin < 12, "before the timeout of one attempt, 15 s"
    listed = run_driftd("outbox", "list", service.config_path).stdout
    assert listed.count("pending") == 2 and listed.count("attempts 0") == 2, "what was given up is no attempt:\n" + listed
    tried = len(webhook.received())
    webhook.slow(0)
    service.start().wait_ready()
    service.wait_metric("driftd_notifications_total", 1, notifier="hook", result="delivered")
    service.wait_metric("driftd_notifications_total", 1, notifier="second", result="delivered")
    later = webhook.received()[tried:]
    by_path = {r.path: r for r in [first, *later]}
    assert {"/driftd", "/second"} <= set(by_path)
    ids = {r.headers["webhook-id"] for r in [first, *later] if r.path == first.path}
    if first.path in ("/driftd", "/second"):
        assert len(ids) == 1, "the same message, not another one"
    assert "attempts 1" in run_driftd("outbox", "list", service.config_path).stdout


def test_drift_asks_for_training_once_in_the_cooldown_and_a_broken_sensor_does_not(driftd, webhook, config, tmp_path):
    config["alerts"]["notifiers"] = {"train": {**config["alerts"]["notifiers"]["hook"], "type": "retrain", "guard": {"cooldown": "1h"}}}
    config["alerts"]["routes"] = [{"to": ["train"]}]
    stream = config["streams"]["plant"]
    stream["reference"] = "plant@production"
    stream["checks"].append({"check": "distance", "field": "temperature", "metric": "psi", "max": 0.5})
    service = driftd(config)
    assert service.terminate() == 0
    rows = tmp_path / "rows.jsonl"
    rows.write_text(plant.lines(plant.records(0, 12)))
    done = run_driftd("reference", "build", service.config_path, "--input", rows, "--alias", "production")
    assert done.returncode == 0, done
    service.start().wait_ready()
    broken = [{**row, "temperature": 90.0 if i % 20 == 0 else row["temperature"]} for i, row in enumerate(plant.records(20, 3))]
    plant.post(service, [*broken, *plant.records(23, 2)])
    service.wait(lambda: "in_range" in service.get("/api/v1/alerts").text or service.metrics().get("driftd_windows_total", stream="plant") >= 4,
                 "four windows")
    assert not webhook.received(), "a fault of a sensor is no drift"
    begin = time.time()
    plant.post(service, [*plant.records(25, 2, temperature=22.5), *plant.records(27, 3), *plant.records(30, 2, temperature=22.5),
                         *plant.records(32, 1)])
    [request, *more] = webhook.wait_count(1, timeout=30)
    verify(request, begin)
    event = json.loads(request.body)
    assert event["type"].endswith("retrain.requested") and event["data"]["stream"] == "plant", event
    assert event["data"]["reference"]["version"] == 1 and event["data"]["findings"], event
    service.wait_metric("driftd_retrain_requests_total", 1, target="train", result="cooldown")
    assert service.metrics().get("driftd_retrain_requests_total", target="train", result="sent") == 1
    assert not more and len(webhook.received()) == 1, "the second drift came within the cooldown"
