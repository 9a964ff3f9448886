"""The same verdict, always: what was found live is found again, to the byte, from a file, from Kafka,
with another number of workers."""
import json
import re
import time
import random

import pytest
import yaml

import data
import plant
from driftd import CONFIGS, run_driftd

INTEL = CONFIGS / "intel.yaml"
# All of event time that the tests use; --from and --to are times of Kafka's own timestamps.
ALL = ("--from", "2000-01-01T00:00:00Z", "--to", "2030-01-01T00:00:00Z")


def lasting(path, written=True):
    """Lines of a findings log but those that came about by the clock or by the end of the input."""
    lines = path.read_bytes().splitlines(keepends=True)
    if not written:
        lines = [line for line in lines if line.endswith(b"\n")]
    assert all(line.endswith(b"\n") for line in lines)
    return [line for line in lines if "closed_by" not in json.loads(line).get("detail", {})]


def same(live, replayed, at_least):
    """The log that a live run left is what the replay wrote, as far as the live run came."""
    assert len(live) >= at_least, f"only {len(live)} findings"
    for number, (a, b) in enumerate(zip(live, replayed)):
        assert a == b, f"finding {number} differs:\nlive     {a.decode()}replayed {b.decode()}"
    assert len(live) == len(replayed), f"{len(live)} findings live, {len(replayed)} in the replay"


@pytest.fixture(scope="module")
def messages():
    """The three motes, with records that are none in between."""
    out = list(data.intel_messages(data.intel()))
    rng = random.Random(7)
    for _ in range(50):
        out.insert(rng.randrange(len(out)), (b"1", b'{"mote":"1","ts":', 1078000000000, None))
    return out


@pytest.fixture(scope="module")
def file(messages, tmp_path_factory):
    path = tmp_path_factory.mktemp("replay") / "intel.jsonl"
    path.write_bytes(b"".join(value + b"\n" for _, value, _, _ in messages))
    return path


def produce(kafka, topic, messages, partitions):
    kafka.create_topic(topic, partitions=partitions)
    kafka.produce(topic, messages)
    return {"KAFKA_BROKERS": kafka.bootstrap, "INTEL_TOPIC": topic}


def settle(service):
    """Waits until no window was judged for 8 s: partitions without a record are waited for, too."""
    last, since = None, time.monotonic()
    while time.monotonic() < since + 8:
        now = service.metrics().get("driftd_watermark_seconds", stream="intel")
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.5)


def live(driftd, env, count, wanted=0, config=INTEL):
    """The findings log of a service that has read `count` records, has found as many as are wanted, and was then ended."""
    service = driftd(config, env=env)
    service.wait_metric("driftd_records_total", count, timeout=120, stream="intel")
    found = lambda: len(lasting(service.data_dir / "findings.jsonl", written=False))
    service.wait(lambda: found() >= wanted, lambda: f"{wanted} findings, there are {found()}", 90)
    settle(service)
    assert service.terminate() == 0, service.log_tail()
    return lasting(service.data_dir / "findings.jsonl")


def replay(tmp_path, env, *source, config=INTEL):
    out = tmp_path / "replayed.jsonl"
    done = run_driftd("replay", config, "--stream", "intel", *source, "--findings", out,
                      env={"DRIFTD_DATA_DIR": str(tmp_path / "data"), **env})
    assert done.returncode == 0, done.stderr
    return lasting(out)


def test_readme_says_what_is_found_in_the_motes(tmp_path):
    rows = list(data.intel())
    first, last = (plant.rfc3339(row["ts"])[:10] for row in (rows[0], rows[-1]))
    assert f"({len(rows):,} rows, {first} to {last};" in data.README.read_text()
    motes, out = tmp_path / "motes.jsonl", tmp_path / "findings.jsonl"
    motes.write_bytes(b"".join(value + b"\n" for _, value, _, _ in data.intel_messages(rows)))
    done = run_driftd("replay", INTEL, "--input", motes, "--findings", out, env={"DRIFTD_DATA_DIR": str(tmp_path / "data")})
    assert done.returncode == 0, done.stderr
    assert f"stream intel: {len(rows)} records, 0 late" in done.stdout
    expected = data.readme("Intel, a sensor")
    assert data.failed(map(json.loads, out.read_bytes().splitlines()), "sensor") == expected
    for (check, field), windows in expected.items():
        assert re.search(rf"^  {' '.join(filter(None, (check, field)))} \(sensor\): {windows} fail", done.stdout,
                         re.MULTILINE), "the summary says the same"


def test_one_partition_is_the_same_from_a_file(driftd, kafka, unique, tmp_path, messages, file):
    env = produce(kafka, unique, messages, 1)
    replayed = replay(tmp_path, env, "--input", file)
    same(live(driftd, env, len(messages), len(replayed)), replayed, 500)


def test_several_partitions_are_the_same_from_kafka(driftd, kafka, unique, tmp_path, messages):
    env = produce(kafka, unique, messages, 3)
    replayed = replay(tmp_path, env, "--kafka", unique, *ALL)
    same(live(driftd, env, len(messages), len(replayed)), replayed, 500)


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_workers_do_not_matter(driftd, kafka, unique, tmp_path, messages, workers):
    env = produce(kafka, unique, messages[:30000], 8)
    config = tmp_path / "intel.yaml"
    config.write_text(INTEL.read_text().replace("service:\n", f"service:\n  workers: {workers}\n", 1))
    replayed = replay(tmp_path, env, "--kafka", unique, *ALL)
    same(live(driftd, env, 30000, len(replayed), config), replayed, 10)


def detector_replay(tmp_path, checks, rows, *arguments, kind="number"):
    """(exit status, findings) of a replay of `rows`, all findings written."""
    config, findings = tmp_path / "c.json", tmp_path / "f.jsonl"
    asked = plant.config(checks, service={"data_dir": str(tmp_path / "data")},
                         stream_fields={"temperature": {"type": kind}, "status": {"type": "category"}})
    for stream in asked["streams"].values():
        stream["from"] = {"file": {"paths": ["-"], "format": "json_lines"}}
    config.write_text(json.dumps(asked))
    done = run_driftd("replay", config, "--input", "-", "--findings", findings, "--all", *arguments, stdin=plant.lines(rows))
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, [json.loads(line) for line in findings.read_text().splitlines()]


DETECTORS = ["adwin", "ddm", "page_hinkley"]


def test_detectors_say_that_they_see_nothing(tmp_path):
    checks = [{"check": name, "field": "temperature"} for name in DETECTORS]
    rows = [{**row, "temperature": None} for row in plant.records(0, 29)] + [{**row, "temperature": 0} for row in plant.records(29, 1)]
    status, findings = detector_replay(tmp_path, checks, rows, "--fail-on", "warn", kind="integer")
    assert status == 0, "no verdict is no failure"
    for name in DETECTORS:
        *blind, seen = [f for f in findings if f["check"] == name]
        assert len(blind) == 29 and seen["verdict"] == "ok" and seen["n"] == plant.PER_WINDOW
        for finding in blind:
            assert (finding["verdict"], finding["reason"]) == ("no_verdict", "too_few_samples")
            assert finding["n"] == 0 and finding["detail"]["skipped"] == plant.PER_WINDOW
            assert finding["segment"] == {"by": "stream"}, finding


def test_a_warning_of_a_detector_is_a_finding(tmp_path):
    rows = list(plant.records(0, 12))
    for i, row in enumerate(rows):
        row["temperature"] = int(i % (10 if i < 800 else 5) == 0)
    checks = [{"check": "ddm", "field": "temperature", "drift": 50}]
    status, findings = detector_replay(tmp_path, checks, rows, "--fail-on", "warn", kind="integer")
    warnings = [f for f in findings if f["verdict"] == "warn"]
    assert warnings and all(f["reason"] == "drift_warning" and f["record"] for f in warnings)
    assert not [f for f in findings if f["verdict"] == "fail"]
    assert len(warnings) == len({plant.milliseconds(f["record"]["time"]) // plant.WINDOW for f in warnings}), "once a window"
    assert status == 1
    assert detector_replay(tmp_path, checks, rows, "--fail-on", "fail", kind="integer")[0] == 0


def test_fail_on_and_another_reference(tmp_path):
    """What a CI job asks: exit 1 on an alert, and how another version would have judged."""
    config = plant.config([{"check": "distance", "field": "temperature", "metric": "psi", "max": 0.5}],
                          service={"data_dir": str(tmp_path / "data")}, stream_reference="plant@production", alerts={"for": 2})
    path = tmp_path / "driftd.yaml"
    path.write_text(yaml.safe_dump(config))
    rows = {level: tmp_path / f"{level}.jsonl" for level in (20, 31)}
    for level, file in rows.items():
        file.write_text(plant.lines(plant.records(0, 12, temperature=level)))
        done = run_driftd("reference", "build", path, "--input", file, "--tag", f"t{level}", *(["--alias", "production"] if level == 20 else []))
        assert done.returncode == 0, done

    def status(level, *more):
        return run_driftd("replay", path, "--input", rows[level], *more).returncode
    assert status(20, "--fail-on", "alert") == 0
    assert status(31) == 0, "only when asked"
    assert status(31, "--fail-on", "alert") == 1 and status(31, "--fail-on", "fail") == 1
    assert status(31, "--fail-on", "alert", "--reference", "plant@t31") == 0
    assert status(20, "--fail-on", "alert", "--reference", "plant@2") == 1
    assert status(20, "--reference", "plant@7") == 2
    done = run_driftd("replay", path, "--input", rows[20], "--reference", "plant")
    assert done.returncode == 2 and "'plant' names no reference; write NAME@VERSION" in done.stderr, "which version would change with a build"


def test_record_findings_and_alerts(tmp_path):
    """A detector names the record where it struck, alerts are one line at firing and one at the end;
    --fail-on turns the verdict into the exit status, - is standard input."""
    config = tmp_path / "c.json"  # JSON is YAML
    checks = [{"check": "page_hinkley", "field": "temperature"},
              {"check": "in_range", "field": "temperature", "min": 0, "max": 50, "severity": "critical"}]
    asked = plant.config(checks, service={"data_dir": str(tmp_path / "data")}, alerts={"for": 1})
    for stream in asked["streams"].values():
        stream["from"] = {"file": {"paths": ["-"], "format": "json_lines"}}
    config.write_text(json.dumps(asked))
    text = plant.lines([*plant.records(0, 10), *plant.records(10, 5, temperature=90), *plant.records(15, 5)])
    findings, alerts = tmp_path / "f.jsonl", tmp_path / "a.jsonl"
    command = ["replay", config, "--input", "-", "--findings", findings, "--alerts", alerts]
    done = run_driftd(*command, "--fail-on", "fail", stdin=text)
    assert done.returncode == 1, done.stderr
    first = [findings.read_bytes(), alerts.read_bytes()]
    [record, *_] = [f for f in map(json.loads, first[0].splitlines()) if f["check"] == "page_hinkley"]
    assert record["record"]["source"].startswith("0:") and "window" not in record
    lines = [json.loads(line) for line in first[1].splitlines() if json.loads(line)["severity"] == "critical"]
    assert len(lines) == 2, "firing and resolved"
    assert lines[0]["fingerprint"] == lines[1]["fingerprint"]
    assert lines[0]["starts_at"] == plant.window_start(10) and "ends_at" not in lines[0]
    assert plant.window_start(15) < lines[1]["ends_at"] <= plant.window_start(18)
    assert run_driftd(*command, stdin=text).returncode == 0, "without --fail-on a finding is no failure"
    assert [findings.read_bytes(), alerts.read_bytes()] == first, "the same again"
    assert not (tmp_path / "data").exists() or not list((tmp_path / "data").glob("findings*")), "no side effects"
