"""An alert reaches a real Alertmanager, is kept there while it lasts, and is resolved."""
import plant
import servers


def config(*managers):
    return plant.config(
        [{"check": "in_range", "field": "temperature", "min": 0, "max": 50, "severity": "critical"}],
        alerts={"for": 2, "routes": [{"match": {"severity": "critical"}, "to": ["am"]}],
                "notifiers": {"am": {"type": "alertmanager", "urls": [m.url for m in managers]}}})


def test_fires_and_resolves(driftd, alertmanager, webhook):
    service = driftd(config(alertmanager)).wait_ready()
    plant.post(service, plant.records(0, 5))
    plant.post(service, plant.records(5, 2, temperature=90))
    plant.post(service, [next(plant.records(7, 1))])
    servers.wait_for(alertmanager.alerts, lambda: f"an alert in Alertmanager\n{service.log_tail()}")
    [alert] = alertmanager.alerts()
    assert alert["labels"]["alertname"]
    assert alert["labels"]["stream"] == "plant" and alert["labels"]["severity"] == "critical"
    assert "90" not in str(alert["labels"]), "no values in labels: they identify the alert"
    assert alert["annotations"]["summary"]
    assert service.metrics().get("driftd_alerts", stream="plant", state="firing") == 1
    service.wait_metric("driftd_notifications_total", 1, notifier="am", result="delivered")

    # Still there after a restart of driftd, as the same alert.
    service.kill9()
    service.start().wait_ready()
    [again] = alertmanager.alerts()
    assert (again["fingerprint"], again["startsAt"]) == (alert["fingerprint"], alert["startsAt"])

    plant.post(service, plant.records(7, 6))
    servers.wait_for(lambda: alertmanager.alerts() == [],
                     lambda: f"no alert any more, there is {alertmanager.alerts()}\n{service.log_tail()}")
    servers.wait_for(lambda: [m["status"] for m in webhook.json()][-1:] == ["resolved"],
                     "Alertmanager says that the alert is resolved")
    assert service.metrics().get("driftd_alerts", stream="plant", state="firing") == 0


def test_one_bad_window_is_no_alert(driftd, alertmanager):
    """`for: 2` means two windows in a row."""
    service = driftd(config(alertmanager)).wait_ready()
    for bad in (1, 3):
        plant.post(service, plant.records(bad - 1, 1))
        plant.post(service, plant.records(bad, 1, temperature=90))
    plant.post(service, plant.records(4, 3))
    service.wait_findings(lambda found: len(found) == 2, "two bad windows", check="in_range", verdict="fail")
    servers.wait_for(lambda: service.metrics().get("driftd_watermark_seconds", stream="plant") * 1000
                     >= plant.START + 6 * plant.WINDOW, "all windows judged")
    assert service.metrics().get("driftd_alerts", stream="plant", state="firing") == 0
    assert alertmanager.alerts() == []


def test_every_member_is_told_and_one_that_is_away_later(driftd, alertmanager):
    with servers.Alertmanager() as other:
        other.stop()
        service = driftd(config(alertmanager, other)).wait_ready()
        plant.post(service, plant.records(0, 3, temperature=90))
        plant.post(service, [next(plant.records(3, 1, temperature=90))])
        servers.wait_for(alertmanager.alerts, lambda: f"the alert at the member that is there\n{service.log_tail()}")
        other.start()
        servers.wait_for(other.alerts, lambda: f"the alert at the member that came back\n{service.log_tail()}", 90)


def test_a_lone_one_that_is_stopped_and_started_again(driftd, alertmanager, webhook):
    """What began while it was away is told when it is back, and what ended in the meantime ends."""
    settings = config(alertmanager)
    settings["streams"]["plant"]["windows"]["by"] = ["sensor"]
    settings["alerts"].update({"for": 1, "group_by": ["stream", "segment"]})
    service = driftd(settings).wait_ready()
    both = lambda first, windows, p1, p2: plant.post(service, [
        {**row, "sensor": name, "temperature": value} for row in plant.records(first, windows) for name, value in [("p1", p1), ("p2", p2)]])
    both(0, 3, 90.0, 20.0)
    servers.wait_for(lambda: len(alertmanager.alerts()) == 1, lambda: f"the alert of p1\n{service.log_tail()}")
    [first] = alertmanager.alerts()
    alertmanager.stop()
    tried = service.metrics().get("driftd_notifications_total", notifier="am", result="retry")
    both(3, 3, 20.0, 90.0)  # one ends, another one begins
    service.wait_metric("driftd_notifications_total", tried + 1, notifier="am", result="retry")
    service.wait_metric("driftd_outbox_pending", 1)
    alertmanager.start()
    shown = lambda: [a["fingerprint"] for a in alertmanager.alerts()]
    servers.wait_for(lambda: len(shown()) == 1 and shown() != [first["fingerprint"]],
                     lambda: f"the alert of p2 alone, there is {alertmanager.alerts()}\n{service.log_tail()}", 90)
    servers.wait_for(lambda: "resolved" in [m["status"] for m in webhook.json()], "Alertmanager says that the one of p1 is resolved")
    both(6, 3, 20.0, 20.0)
    servers.wait_for(lambda: alertmanager.alerts() == [], lambda: f"no alert any more, there is {alertmanager.alerts()}\n{service.log_tail()}")
    service.wait(lambda: service.metrics().get("driftd_outbox_pending") == 0, "an empty outbox")
    assert not any(n for _, n in service.metrics().all("driftd_outbox_dropped_total"))
