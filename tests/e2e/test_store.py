"""driftd store verify and inspect, as somebody uses them who wants to know whether the state is whole."""
import json
import re
import shutil

import pytest

import plant
import stored
from driftd import read_lines, run_driftd

CHECKS = [{"check": "count", "min": 0, "max": 1000}]


@pytest.fixture
def service(driftd):
    """A service with two checkpoints, which runs."""
    made = driftd(plant.config(CHECKS, service={"findings": {"all": True}})).wait_ready()
    plant.post(made, plant.records(0, 3))
    made.wait_findings(lambda f: len(f) >= 2, "two windows")
    stored.wait_checkpoint(made)
    return made


def verify(*arguments):
    done = run_driftd("store", "verify", *arguments)
    return done.returncode, done.stdout


def test_a_whole_store_while_driftd_runs(service):
    status, said = verify(service.config_path)
    assert status == 0, said
    lines = said.splitlines()
    assert sum(bool(re.fullmatch(r"checkpoint \d+, \S+Z", line)) for line in lines) == 2, said
    assert lines.count("  alerts: whole") == 2 and lines.count("  stream plant, merger: whole") == 2, said
    assert lines[-1] == "every part is whole", said
    assert verify("--config", service.config_path)[0] == 0
    assert verify("--data-dir", service.data_dir)[0] == 0
    assert service.running() and service.get("/-/ready").status == 200


def test_inspect_says_where_each_partition_is(service):
    service.kill()
    said = run_driftd("store", "inspect", service.config_path)
    assert said.returncode == 0, said
    partition = re.search(r"^  stream plant, partition (\d+): next (\d+), newest event (\S+), closed until (\S+), configuration \w+, \d+ bytes$",
                          said.stdout, re.M)
    assert partition, said.stdout
    assert partition[2] == "300" and partition[4] == plant.window_start(2), partition
    as_json = json.loads(run_driftd("store", "inspect", "--json", "--data-dir", service.data_dir).stdout)
    newest = as_json["checkpoints"][0]
    assert newest["damaged"] == 0 and len(as_json["checkpoints"]) == 2, as_json
    one = next(p for p in newest["parts"] if p["part"] == "partition")
    assert one["stream"] == "plant" and one["position"] == 300 and one["closed_until"] == plant.window_start(2), one
    assert {p["part"] for p in newest["parts"]} == {"alerts", "merger", "partition"}, newest


@pytest.mark.parametrize("part,name", [("unit", r"stream plant, partition \d+"), ("merger", "stream plant, merger"), ("hub", "alerts")])
def test_damage_is_named_and_driftd_goes_on(service, tmp_path, part, name):
    service.kill()
    stored.damage(service.data_dir, part)
    copy = tmp_path / "copy"
    shutil.copytree(service.data_dir, copy)
    for arguments in ([service.config_path], ["--data-dir", copy]):
        status, said = verify(*arguments)
        assert status == 1, said
        assert re.search(rf"^  {name}: damaged: its checksum does not match$", said, re.M), said
        assert said.count("damaged: ") == 1, said
        assert re.fullmatch(r"damaged; driftd would go on from checkpoint \d+, which is whole: nothing is lost", said.splitlines()[-1]), said
    service.start()
    service.wait_ready()
    assert service.log().count(stored.FELL_BACK) == 1
    assert service.metrics().get("driftd_checkpoint_fallbacks_total", to="previous") == 1
    plant.post(service, plant.records(3, 2))
    found = service.wait_findings(lambda f: len(f) >= 4, "four windows")
    assert [f["value"] for f in found] == [plant.PER_WINDOW] * 4, found
    service.kill()
    assert verify(service.config_path)[0] == 0, "the damaged one is gone"


def test_when_none_is_whole_it_says_so(service):
    service.kill()
    stored.damage(service.data_dir, "hub", every=True)
    status, said = verify(service.config_path)
    assert status == 3, said
    assert said.splitlines()[-1].startswith("no checkpoint is whole; driftd would go on from checkpoint"), said
    service.start()
    service.wait_ready()
    assert "no checkpoint is whole; driftd goes on" in service.log()
    assert service.metrics().get("driftd_checkpoint_fallbacks_total", to="partial") == 1


def test_a_file_that_is_no_store(service):
    service.kill()
    for name in ("state.db-wal", "state.db-shm"):
        (service.data_dir / name).unlink(missing_ok=True)
    (service.data_dir / "state.db").write_bytes(b"no database" * 1000)
    done = run_driftd("store", "verify", service.config_path)
    assert done.returncode == 3 and "state.db" in done.stderr and "not a database" in done.stderr, done
    before = (service.data_dir / "findings.jsonl").read_bytes()
    service.start()
    service.wait_ready()
    assert "it was moved aside" in service.log()
    assert service.metrics().get("driftd_checkpoint_fallbacks_total", to="nothing") == 1
    assert list(service.data_dir.glob("state.db.damaged-*")), "kept for whoever wants to know"
    assert (service.data_dir / "findings.jsonl").read_bytes().startswith(before)


def test_a_store_that_is_gone_takes_no_findings_with_it(driftd, tmp_path):
    """Somebody began with an empty data_dir, and the findings log is elsewhere. A kill before the next checkpoint leaves none twice."""
    log = tmp_path / "findings.jsonl"
    settings = plant.config(CHECKS, service={"findings": {"all": True, "log": str(log)}, "checkpoint_every": "1h"})
    starts = lambda: [f["window"]["start"] for f in read_lines(log)]
    wanted = []
    for first in (0, 10):
        service = driftd(settings).wait_ready()
        plant.post(service, plant.records(first, 3))
        wanted += [plant.window_start(first), plant.window_start(first + 1)]
        service.wait(lambda n=len(wanted): len(starts()) == n, lambda: f"two more windows: {starts()}")
        service.kill9()
        service.start().wait_ready()
        service.wait(lambda n=len(wanted): len(starts()) == n, lambda: f"the same: {starts()}")
        assert starts() == wanted
        assert service.terminate() == 0


def test_what_is_asked_wrongly(service, tmp_path):
    for arguments in (["verify"], ["inspect", service.config_path, "--data-dir", service.data_dir], ["verify", "--data-dir", tmp_path],
                      ["check", service.config_path]):
        done = run_driftd("store", *arguments)
        assert done.returncode == 2 and done.stderr, (arguments, done)
