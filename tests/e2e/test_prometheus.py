"""Prometheus scrapes driftd: rules checked by promtool, an alert seen firing, every query of every
dashboard answered."""
import json
import re
import subprocess

import pytest
import yaml

import plant
import servers
from driftd import CONFIGS, Driftd, run_driftd
from servers.prometheus import promtool

RULES = sorted((CONFIGS / "prometheus").glob("*.yml")) + sorted((CONFIGS / "prometheus").glob("*.yaml"))
RULE_FILES = [f for f in RULES if "groups" in (yaml.safe_load(f.read_text()) or {})]
RULE_TESTS = [f for f in RULES if f.name.endswith(".test.yml")]
DASHBOARDS = sorted((CONFIGS / "grafana").glob("*.json"))


@pytest.fixture(scope="module")
def busy(kafka, tmp_path_factory):
    """driftd with something to show for every metric: a Kafka stream with a reference that drifts and
    breaks its range, a reject, an alert that fires and a receiver that is told."""
    topic = "prometheus"
    kafka.create_topic(topic, partitions=2)
    reference = tmp_path_factory.mktemp("prometheus") / "reference.jsonl"
    reference.write_text(plant.lines(plant.records(-200, 200)))
    with servers.WebhookReceiver() as receiver:
        config = plant.config(
            [{"check": "in_range", "field": "temperature", "min": 0, "max": 50, "severity": "critical"},
             {"check": "distance", "field": "temperature", "metric": "psi", "max": 0.5},
             {"check": "page_hinkley", "field": "temperature"},
             {"check": "adwin", "name": "calm", "field": "temperature", "delta": 1e-12, "grace_period": 1000000}],
            source={"kafka": {"brokers": [kafka.bootstrap], "topics": [topic], "group": topic,
                              "options": {"statistics.interval.ms": "500"}}},
            stream_reference="plant@production", service={"checkpoint_every": "500ms"},
            alerts={"for": 1, "notifiers": {"hook": {"type": "webhook", "url": receiver.url}},
                    "routes": [{"match": {"severity": "critical"}, "to": ["hook"]}]})
        service = Driftd(config)
        done = run_driftd("reference", "build", service.config_path, "--stream", "plant", "--input", reference,
                          "--name", "plant", "--alias", "production")
        assert done.returncode == 0, done.stderr
        with service:
            service.wait_ready()
            rows = [*plant.records(0, 5), *plant.records(5, 5, temperature=90)]
            kafka.produce(topic, plant.kafka_records(rows))
            kafka.produce(topic, [(b"p1", b"{", plant.START, None)])
            service.wait_metric("driftd_alerts", 1, stream="plant", state="firing")
            yield service


def listed_metrics():
    """{name: type} of docs/METRICS.md."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", (CONFIGS.parent / "docs" / "METRICS.md").read_text(), re.MULTILINE)
    return dict(rows)


# What only some streams have, and what is there only once it has happened.
ELSEWHERE = {
    "driftd_stream_leads": "a stream that several driftd share", "driftd_hand_over_pending_bytes": "the same",
    "driftd_extra_fields_total": "a field that the schema does not have", "driftd_retrain_requests_total": "a receiver of type retrain",
    "driftd_mqtt_redeliveries_total": "mqtt", "driftd_mqtt_session_lost_total": "mqtt", "driftd_journal_bytes": "mqtt or http",
    "driftd_quarantine_topic_records_total": "quarantine.topic", "driftd_quarantine_failed_total": "quarantine.failed",
    "driftd_gate_records_total": "gate", "driftd_gate_transactions_total": "gate",
    "driftd_gate_up": "gate", "driftd_gate_waiting_bytes": "gate", "driftd_web_config_last_reload_successful": "web_config"}


def test_every_listed_metric_is_exported(busy):
    busy.wait(lambda: busy.metrics().all("driftd_source_lag", stream="plant"), "a lag")
    servers.wait_for(lambda: busy.metrics().all("driftd_quarantine_bytes"), lambda: "a checkpoint", 10)
    exported = {name for name, _, _ in busy.metrics().samples}
    missing = set(listed_metrics()) - exported
    assert missing == set(ELSEWHERE), "listed and not exported, or exported and not expected here"


def test_detectors_show_their_state(busy):
    metrics = busy.metrics()
    assert metrics.all("driftd_detector_state", stream="plant", field="temperature", detector="calm") == [
        ({"stream": "plant", "field": "temperature", "detector": "calm"}, 0)], "from the start on"
    busy.wait_metric("driftd_check_failures_total", 1, check="page_hinkley", stream="plant")
    assert busy.metrics().all("driftd_detector_state", detector="page_hinkley")


def test_counters_are_there_from_zero():
    """So that increase() sees the first one: before any record, each series whose labels are known."""
    with servers.WebhookReceiver() as receiver:
        config = plant.config(
            [{"check": "in_range", "field": "temperature", "min": 0}, {"check": "count", "min": 1}, {"check": "ddm", "field": "broken"}],
            stream_fields={"temperature": {"type": "number"}, "broken": {"type": "flag"}, "status": {"type": "category"}},
            alerts={"notifiers": {"hook": {"type": "webhook", "url": receiver.url}}, "routes": [{"to": ["hook"]}]})
        with Driftd(config) as service:
            service.wait_ready()
            metrics = service.metrics()
    for name, labels in [
            *(("driftd_check_failures_total", {"stream": "plant", "field": field, "check": check})
              for field, check in [("temperature", "in_range"), ("", "count"), ("broken", "ddm")]),
            *(("driftd_notifications_total", {"notifier": "hook", "result": result})
              for result in ["delivered", "retry", "rejected", "gone"]),
            *(("driftd_outbox_dropped_total", {"reason": reason}) for reason in ["full", "rejected", "gone", "attempts"]),
            *(("driftd_alerts", {"stream": "plant", "severity": severity, "state": state})
              for severity in ["info", "warning", "critical"] for state in ["pending", "firing"]),
            *((name, {"stream": "plant"}) for name in [
                "driftd_windows_total", "driftd_late_records_total", "driftd_source_gaps_total", "driftd_source_lost_records_total", "driftd_stream_restarts_total",
                "driftd_sensors_evicted_total", "driftd_quarantine_dropped_total"]),
            ("driftd_source_reconnects_total", {"stream": "plant", "source": "http"}),
            ("driftd_detector_state", {"stream": "plant", "field": "broken", "detector": "ddm"}),
            *(("driftd_http_connections_total", {"result": result}) for result in ["evicted", "tls_failed"]),
            ("driftd_checkpoint_failures_total", {}), ("driftd_findings_log_failures_total", {}),
            ("driftd_findings_log_dropped_total", {}), ("driftd_outbox_pending", {})]:
        have = metrics.all(name, **labels)
        assert have == [(labels, 0)], f"{name}{labels}: {have}"


def test_gauges_end_with_their_check():
    """A reload without a check, or with other segments, ends the gauges of what is gone; the others stay."""
    failing = [{"check": "in_range", "field": "temperature", "max": 0}, {"check": "count", "min": 1000000},
               {"check": "page_hinkley", "field": "temperature"}]
    with Driftd(plant.config(failing)) as service:
        service.wait_ready()
        plant.post(service, plant.records(0, 3))
        for check in ["in_range", "count"]:
            service.wait_metric("driftd_check_verdict", 2, check=check)
        service.write_config(plant.config(failing[:1]))
        assert service.post("/-/reload").status == 200
        metrics = service.metrics()
        assert metrics.get("driftd_check_verdict", check="in_range") == 2, "still configured"
        for name in ["driftd_check_verdict", "driftd_check_value", "driftd_check_threshold"]:
            assert not metrics.all(name, check="count"), name
        assert not metrics.all("driftd_detector_state")
        assert metrics.get("driftd_records_total", result="accepted") > 0, "counters go on"


def test_exposition_is_valid(busy):
    text = busy.get("/metrics").text
    assert busy.get("/metrics").headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "NaN" not in text, "no metric is ever NaN"
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda f: f.name)
def test_promtool_accepts_the_rules(path):
    status, output = promtool("check", "rules", path)
    assert status == 0, output


def test_generated_rules_are_valid_and_fire(busy, prometheus, tmp_path):
    made = run_driftd("rules", "prometheus", busy.config_path)
    assert made.returncode == 0, made.stderr
    path = tmp_path / "generated.rules.yml"
    path.write_text(made.stdout)
    status, output = promtool("check", "rules", path)
    assert status == 0, output
    server = prometheus([busy.target], rule_files=[path])

    def firing():
        return [labels for labels, state, _ in server.alerts()
                if state == "firing" and labels["alertname"] == "DriftdCheckFailing" and labels["check"] == "in_range"]
    [labels, *_] = servers.wait_for(firing, lambda: f"the check's alert firing, there are {server.alerts()}", 30)
    assert labels["severity"] == "critical"


def test_every_generated_rule_selects_a_series(prometheus, tmp_path):
    """Also for what is judged for sensors only, and for detectors: an expression without a series never fires."""
    checks = [{"check": "in_range", "field": "temperature", "min": 0, "max": 50}, {"check": "count", "min": 1},
              {"check": "page_hinkley", "field": "temperature"}]
    config = plant.config(checks)
    only = {**config["streams"]["plant"], "windows": {**config["streams"]["plant"]["windows"], "by": ["sensor"]}}
    mixed = {**only, "windows": {**only["windows"], "by": ["stream", "sensor"]},
             "checks": [checks[0], {**checks[1], "by": ["sensor"]}, checks[2]]}
    config["streams"] |= {"only": only, "mixed": mixed}
    with Driftd(config) as service:
        service.wait_ready()
        made = run_driftd("rules", "prometheus", service.config_path)
        assert made.returncode == 0, made.stderr
        path = tmp_path / "generated.rules.yml"
        path.write_text(made.stdout)
        rules = [rule for group in yaml.safe_load(made.stdout)["groups"] for rule in group["rules"]]
        assert len([r for r in rules if r["alert"] == "DriftdCheckFailing"]) == 9
        for stream in ["plant", "only", "mixed"]:
            body = plant.lines(plant.records(0, 3))
            answer = service.post(f"/api/v1/streams/{stream}/records", body, headers={"Content-Type": "application/x-ndjson"})
            assert answer.status == 200, answer
            service.wait_metric("driftd_window_delay_seconds", 1, stream=stream)
        server = prometheus([service.target], rule_files=[path])
        server.wait_query('count_over_time(driftd_build_info[1m]) >= 3')
        for rule in rules:
            # Without its comparison; a share of rejects has its own series.
            expression = re.sub(r" (==|>) [\d.e+]+$", "", rule["expr"].strip())
            assert expression != rule["expr"].strip(), rule
            server.wait_query(expression, timeout=10)


def test_a_detection_fires_its_generated_rule(prometheus, tmp_path):
    config = plant.config([{"check": "page_hinkley", "field": "temperature", "severity": "critical"}])
    with Driftd(config) as service:
        service.wait_ready()
        path = tmp_path / "generated.rules.yml"
        path.write_text(run_driftd("rules", "prometheus", service.config_path).stdout)
        server = prometheus([service.target], rule_files=[path])
        server.wait_query('count_over_time(driftd_check_failures_total{check="page_hinkley"}[1m]) >= 2')
        plant.post(service, [*plant.records(0, 5), *plant.records(5, 5, temperature=90)])
        service.wait_metric("driftd_check_failures_total", 1, check="page_hinkley")
        servers.wait_for(lambda: [labels for labels, state, _ in server.alerts() if state == "firing" and labels["alertname"] == "DriftdCheckFailing"],
                         lambda: f"the detection's alert firing, there are {server.alerts()}", 30)


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda f: f.name)
def test_the_rules_pass_their_tests(path):
    status, output = promtool("test", "rules", path.name, cwd=path.parent)
    assert status == 0, output


def test_there_are_rules_tests_and_dashboards():
    assert RULE_FILES and RULE_TESTS and DASHBOARDS


def test_an_alert_fires_in_prometheus(busy, prometheus):
    """The shipped rules see the alert that driftd has, at once: driftd has waited already (`for`)."""
    server = prometheus([busy.target], rule_files=RULE_FILES)
    server.wait_query('up{job="driftd"} == 1')
    servers.wait_for(
        lambda: [labels for labels, state, _ in server.alerts() if state == "firing" and labels.get("stream") == "plant"],
        lambda: f"an alert of stream plant firing, there are {server.alerts()}", 30)
    for labels, _, annotations in server.alerts():
        assert labels["severity"] and annotations["summary"], labels


def queries(dashboard):
    """(panel, expression) of every target and of every variable that asks Prometheus."""
    def panels(of):
        for panel in of.get("panels", []):
            yield panel
            yield from panels(panel)
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            yield panel.get("title", "?"), target["expr"]
    for variable in dashboard.get("templating", {}).get("list", []):
        if variable.get("type") == "query":
            query = variable["query"] if isinstance(variable["query"], str) else variable["query"]["query"]
            match = re.fullmatch(r"label_values\((.*),\s*\w+\)", query)
            yield f"variable {variable['name']}", match[1] if match else query


def filled_in(expression):
    """As Grafana sends it with every variable at "all" and a short range."""
    expression = re.sub(r"\$__(rate_interval|interval|range)|\$\{__(rate_interval|interval|range)\}", "30s", expression)
    return re.sub(r"\$\{\w+(:\w+)?\}|\$\w+", ".*", expression)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda f: f.name)
def test_every_query_of_the_dashboard_has_data(busy, prometheus, path):
    dashboard = json.loads(path.read_text())
    server = prometheus([busy.target], rule_files=RULE_FILES)
    # Two scrapes, so that a rate has two points.
    server.wait_query('count_over_time(up{job="driftd"}[1m]) >= 3')
    asked = list(queries(dashboard))
    assert asked, "a dashboard without a query"
    empty = []
    for panel, expression in asked:
        try:
            # A panel may say 0 while there is nothing; whether it asks for the right thing is seen without that.
            certain = re.sub(r"( == \d\))? or vector\(0\)", lambda m: ")" if m[1] else "", filled_in(expression))
            server.wait_query(certain, timeout=20)
        except servers.ServerError as error:
            empty.append(f"{panel}: {expression}\n    {str(error).splitlines()[0]}")
    assert not empty, "without data:\n" + "\n".join(empty)
