"""outbox.db and references.db damaged, at the start and while driftd runs: it goes on, and says what that means."""
import contextlib
import json
import re
import sqlite3

import pytest

import plant
from driftd import read_lines, run_driftd

SETTINGS = {"service": {"findings": {"all": True}}}


def garble(path):
    """No database any more; returns what is there now."""
    for suffix in ["-wal", "-shm"]:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    with open(path, "r+b") as file:
        file.write(b"x" * 200)
    return path.read_bytes()


def scribble(path):
    """Over all pages but the first of the file and of its WAL, while somebody has them open."""
    for name, keep in [(path.name, 4096), (path.name + "-wal", 32)]:
        target = path.with_name(name)
        size = target.stat().st_size if target.exists() else 0
        if size > keep:
            with open(target, "r+b") as file:
                file.seek(keep)
                file.write(b"\xa5" * (size - keep))


def moved_aside(service):
    return [p.name for p in service.data_dir.iterdir() if re.fullmatch(r"outbox\.db\.damaged-\d+", p.name)]


@pytest.fixture
def alerting(driftd, webhook):
    return driftd(plant.config(
        [{"check": "count", "min": 0}, {"check": "in_range", "field": "temperature", "min": 0, "max": 50, "severity": "critical"}],
        alerts={"for": 1, "routes": [{"match": {"severity": "critical"}, "to": ["hook"]}],
                "notifiers": {"hook": {"type": "webhook", "url": webhook.url}}}, **SETTINGS)).wait_ready()


def test_an_outbox_that_is_no_database_is_begun_anew(alerting, webhook):
    service = alerting
    webhook.default = (503, {})
    plant.post(service, plant.records(0, 2, temperature=90))
    service.wait_metric("driftd_outbox_pending", 1)
    assert service.metrics().get("driftd_store_damaged", store="outbox") == 0
    assert service.terminate() == 0
    content = garble(service.data_dir / "outbox.db")
    done = run_driftd("store", "verify", service.config_path)
    assert done.returncode == 1 and re.search("^outbox.db: damaged: ", done.stdout, re.M), done
    webhook.default = (200, {})
    tried = len(webhook.received())
    service.start().wait_ready()
    assert service.metrics().get("driftd_store_damaged", store="outbox") == 1
    assert service.log().count("the outbox is damaged; it was moved aside and begun anew: messages that were not delivered yet are lost") == 1
    [aside] = moved_aside(service)
    assert (service.data_dir / aside).read_bytes() == content
    # The firing is lost; that it is over is told, and what comes then.
    plant.post(service, [*plant.records(2, 2), *plant.records(4, 2, temperature=90)])
    kinds = [json.loads(r.body)["type"].rpartition(".")[2] for r in webhook.wait_count(tried + 2)[tried:]]
    assert kinds == ["resolved", "firing"], kinds
    assert service.terminate() == 0
    service.start().wait_ready()
    assert service.metrics().get("driftd_store_damaged", store="outbox") == 0
    done = run_driftd("store", "verify", service.config_path)
    assert done.returncode == 0 and re.search(r"^outbox.db: whole, 0 undelivered$", done.stdout, re.M), done


def test_an_outbox_damaged_while_driftd_runs_is_begun_anew(alerting, webhook):
    service = alerting
    plant.post(service, plant.records(0, 2, temperature=90))
    webhook.wait_count(1)
    service.wait(lambda: service.metrics().get("driftd_outbox_pending") == 0, "an empty outbox")
    scribble(service.data_dir / "outbox.db")
    plant.post(service, plant.records(2, 4))
    service.wait_metric("driftd_store_damaged", 1, store="outbox")
    assert len(moved_aside(service)) == 1
    assert json.loads(webhook.wait_count(2)[1].body)["type"].endswith("resolved")
    failed = service.metrics().get("driftd_checkpoint_failures_total")
    plant.post(service, plant.records(6, 2, temperature=90))
    assert json.loads(webhook.wait_count(3)[2].body)["type"].endswith("firing")
    service.wait(lambda: service.metrics().get("driftd_checkpoint_age_seconds") < 2, "checkpoints go on")
    assert service.metrics().get("driftd_checkpoint_failures_total") == failed
    assert service.log().count("it was moved aside and begun anew") == 1
    assert service.get("/-/ready").status == 200 and service.terminate() == 0


@pytest.fixture
def drifting(driftd, tmp_path):
    """A stream with a reference and one without, which have judged two windows."""
    config = plant.config([{"check": "count", "min": 0}, {"check": "distance", "field": "temperature", "metric": "psi", "max": 0.5}],
                          stream_reference="plant@production", **SETTINGS)
    service = driftd(config)
    assert service.terminate() == 0
    rows = tmp_path / "rows.jsonl"
    rows.write_text(plant.lines(plant.records(-100, 100)))
    done = run_driftd("reference", "build", service.config_path, "--stream", "plant", "--input", rows, "--alias", "production")
    assert done.returncode == 0, done
    service.start().wait_ready()
    plant.post(service, plant.records(0, 3))
    service.wait_findings(lambda f: len(f) == 2, "two judged windows", check="distance", verdict="ok")
    return service


def judged(service, check):
    return {f["window"]["start"]: f.get("reason", f["verdict"]) for f in read_lines(service.data_dir / "findings.jsonl")
            if f["check"] == check}


def runs_without_its_reference(service):
    answer = service.get("/-/ready")
    return answer.status == 503 and "runs without its reference" in answer.text


def damaged_row(path):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE reference SET content = substr(content, 1, length(content) - 8) || x'0102030405060708'")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return None


@pytest.mark.parametrize("damage,said", [(garble, "not a database"), (damaged_row, "")])
def test_damaged_references_stay_and_streams_run_without_them(drifting, damage, said):
    service = drifting
    assert service.terminate() == 0
    path = service.data_dir / "references.db"
    backup = path.read_bytes()
    content = damage(path)
    done = run_driftd("store", "verify", service.config_path)
    assert done.returncode == 1 and re.search(f"^references.db: damaged: .*{said}", done.stdout, re.M), done
    service.start()
    service.wait(lambda: runs_without_its_reference(service), "not ready for want of its reference")
    assert service.metrics().get("driftd_store_damaged", store="references") == 1
    assert service.metrics().all("driftd_checkpoint_fallbacks_total", to="partial")[0][1] == 0, "the checkpoint is whole"
    assert service.log().count("references cannot be read; the file stays as it is") == 1
    plant.post(service, plant.records(3, 4))
    # What was open, window 2, was counted in the bins of the reference: the partition warms up at its position.
    windows = [plant.window_start(n) for n in range(3, 6)]
    service.wait(lambda: set(judged(service, "count")) >= set(windows), lambda: f"windows judged: {judged(service, 'count')}")
    assert [judged(service, "count")[w] for w in windows] == ["warming_up", "ok", "ok"], "the other checks judge"
    assert [judged(service, "distance")[w] for w in windows] == ["warming_up", "no_reference", "no_reference"]
    if damage is garble:
        assert service.get("/api/v1/references").status == 500
        assert "not a database" in run_driftd("reference", "list", service.config_path).stderr
        assert path.read_bytes() == content, "nothing takes its place"
    assert not [p for p in service.data_dir.iterdir() if "references.db.damaged" in p.name]
    assert service.terminate() == 0
    path.write_bytes(backup)
    service.start().wait_ready()
    assert service.metrics().get("driftd_store_damaged", store="references") == 0
    plant.post(service, plant.records(7, 3))
    service.wait(lambda: judged(service, "distance").get(plant.window_start(8)) == "ok", lambda: f"judged again: {judged(service, 'distance')}")


def test_a_stream_without_a_reference_does_not_care(driftd):
    service = driftd(plant.config([{"check": "count", "min": 0}], **SETTINGS)).wait_ready()
    assert service.terminate() == 0
    garble(service.data_dir / "references.db")
    service.start().wait_ready()
    assert service.metrics().get("driftd_store_damaged", store="references") == 1
    plant.post(service, plant.records(0, 3))
    service.wait_findings(lambda f: len(f) == 2, "two windows")
