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
    assert service.metrics().get("driftd_notifications_total", notifier="am", result="delivered") >= 1

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
