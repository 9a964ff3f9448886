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
             {"check": "page_hinkley", "field": "temperature"}],
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
    servers.wait_for(firing, lambda: f"the check's alert firing, there are {server.alerts()}", 30)
    assert firing()[0]["severity"] == "critical"


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
            server.wait_query(filled_in(expression), timeout=5)
        except servers.ServerError as error:
            empty.append(f"{panel}: {expression}\n    {str(error).splitlines()[0]}")
    assert not empty, "without data:\n" + "\n".join(empty)
