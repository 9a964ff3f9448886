"""`driftd schema` is a JSON Schema that editors can use: a validator of others (python-jsonschema) finds in a
configuration what `driftd check` finds."""
import copy
import json
import pathlib

import jsonschema
import pytest
import yaml

from driftd import run_driftd

ROOT = pathlib.Path(__file__).parents[2]
VALID = sorted([*ROOT.glob("configs/*.yaml"), *ROOT.glob("tests/scenarios/*/config.yaml")])

# One of each: sources, decoders, notifiers, and every section. Nothing in it asks for a file that must exist.
ALL = """
service:
  listen: 127.0.0.1:0
  data_dir: d
  workers: 2
  checkpoint_every: 1s
  limits: {series: 1000, sensors: 100, journal: 2MiB, quarantine: 1MiB}
  findings: {log: f.jsonl, all: true}
streams:
  a:
    from: {mqtt: {url: "mqtt://h:1883", topics: ["a/+/b"], client_id: x}}
    decode: {format: csv, sensor: "@topic/2", time: {field: t, unit: rfc3339}}
    fields: {x: number, y: {type: category, role: segment}}
    windows: {size: 1m, slide: 10s, by: [stream, y, sensor]}
    checks:
      - {check: in_range, field: x, min: -1, max: 2, max_share: 0.1, severity: critical}
      - {check: expression, expression: "x * 2 < 4"}
      - {check: in_set, field: y, values: [on, off]}
  b:
    from: {kafka: {brokers: ["h:9092"], topics: [t], group: g, options: {fetch.min.bytes: 1}}}
    decode: {format: json, sensor: s, time: t}
    fields: {x: number}
    windows: {size: 1m}
    checks:
      - {check: quantile, field: x, q: 0.9, max: 4}
      - {check: distance, field: x, metric: psi, max: 0.2}
    reference: a@production
  c:
    from: {http: {}}
    decode: {format: json, sensor: s, time: {field: t, unit: ms}}
    fields: {x: number}
    windows: {size: 1m}
    checks: [{check: count, min: 1}]
alerts:
  for: 2
  group_by: [stream]
  notifiers: {hook: {type: webhook, url: "http://h/x"}, told: {type: log}}
  routes: [{to: [hook], match: {severity: critical}}, {to: [told]}]
"""


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(run_driftd("schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture
def check(tmp_path):
    def passes(document):
        path = tmp_path / "c.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        done = run_driftd("check", path)
        assert done.returncode in (0, 2), done
        return done.returncode == 0
    return passes


def errors(validator, document):
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in validator.iter_errors(document)]


@pytest.mark.parametrize("path", VALID, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_used_validates(validator, path):
    assert not errors(validator, yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("path", sorted(ROOT.glob("configs/*.yaml")), ids=lambda path: path.name)
def test_what_is_shipped_passes_check(path):
    done = run_driftd("check", path)
    assert done.returncode == 0, done


def test_the_full_example_has_every_source_and_notifier():
    full = yaml.safe_load((ROOT / "configs/full.yaml").read_text())
    assert {source for stream in full["streams"].values() for source in stream["from"]} == {"kafka", "mqtt", "http", "file"}
    for kind, used in (("notifiers", {n["type"] for n in full["alerts"]["notifiers"].values()}),
                       ("checks", {c["check"] for stream in full["streams"].values() for c in stream["checks"]})):
        known = {line.split()[0] for line in run_driftd("list", kind).stdout.splitlines()[1:]}
        missing = known - used
        assert missing <= {"min", "max", "sum"}, f"{kind} that the example leaves out: {missing}"


def test_one_of_everything_validates_and_passes_check(validator, check):
    document = yaml.safe_load(ALL)
    assert check(document) and not errors(validator, document)


def places(node, path=()):
    """The path of every map and value below."""
    yield path
    if isinstance(node, dict):
        for key, value in node.items():
            yield from places(value, (*path, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from places(value, (*path, number))


def at(document, path):
    for key in path:
        document = document[key]
    return document


def mistakes():
    """(what, document): one mistake each, at every place of ALL where it can be made."""
    good = yaml.safe_load(ALL)
    for path in places(good):
        name = "/".join(map(str, path)) or "top"
        here = at(good, path)
        if isinstance(here, dict):
            wrong = copy.deepcopy(good)
            at(wrong, path)["nosuch"] = [[1]]
            yield f"{name}: an unknown key", wrong
        if path:
            wrong = copy.deepcopy(good)
            at(wrong, path[:-1])[path[-1]] = {"nosuch": 1}
            yield f"{name}: a map that does not belong there", wrong
            if isinstance(path[-1], str):
                wrong = copy.deepcopy(good)
                del at(wrong, path[:-1])[path[-1]]
                yield f"{name}: left out", wrong


# What the schema cannot know: what names what, bounds of which one is enough, and the options of librdkafka.
HANGS_TOGETHER = {
    "streams/a/fields/x: left out", "streams/a/fields/y: left out", "streams/a/fields/y/role: left out",
    "streams/b/checks/0/max: left out", "streams/c/checks/0/min: left out",
    "alerts/notifiers: left out", "alerts/notifiers/hook: left out", "alerts/notifiers/told: left out",
    "alerts/notifiers/hook/url: left out",
    "streams/b/from/kafka/options: a map that does not belong there",
}


def test_the_schema_refuses_what_check_refuses(validator, check):
    said, only_check = {True: 0, False: 0}, set()
    for what, document in mistakes():
        passes, wrong = check(document), errors(validator, document)
        said[passes] += 1
        assert not (passes and wrong), f"{what}: check takes it, the schema does not: {wrong}"
        if not passes and not wrong:
            only_check.add(what)
    assert only_check == HANGS_TOGETHER
    assert min(said.values()) > 20, f"the mistakes are no test: {said}"
