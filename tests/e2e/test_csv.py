"""CSV as JSON lines: the same rows make the same reference and the same findings, by command and live."""
import json

import pytest
import yaml

import plant
from driftd import read_lines, run_driftd

CHECKS = [{"check": "distance", "field": "temperature", "metric": "psi", "max": 0.5},
          {"check": "not_null", "field": "temperature"}, {"check": "in_range", "field": "temperature", "min": 0, "max": 30}]
NORMAL = list(plant.records(0, 12))
TODAY = [*plant.records(20, 3), *plant.records(23, 2, temperature=31.0), *plant.records(25, 1)]
TODAY[7]["temperature"] = None


def csv(rows):
    """With a header, and a status that needs quotes."""
    cells = (["" if row[name] is None else str(row[name]) for name in ("sensor", "ts", "temperature")] for row in rows)
    return "sensor,ts,temperature,status\n" + "".join(",".join(line) + ',"on, ""full"""\n' for line in cells)


def json_lines(rows):
    return plant.lines({**row, "status": 'on, "full"'} for row in rows)


@pytest.fixture
def machines(tmp_path):
    """{format: (configuration, folder)}, each with a live file source that has no file yet."""
    made = {}
    for kind in ("csv", "json_lines"):
        folder = tmp_path / kind
        folder.mkdir()
        settings = plant.config(CHECKS, source={"file": {"paths": [str(folder / "live")], "format": kind}},
                                service={"data_dir": str(folder / "data"), "findings": {"all": True}},
                                stream_reference="plant@production")
        settings["streams"]["plant"]["decode"]["format"] = kind.removesuffix("_lines")
        (folder / "driftd.yaml").write_text(yaml.safe_dump(settings))
        (folder / "normal").write_text((csv if kind == "csv" else json_lines)(NORMAL))
        (folder / "today").write_text((csv if kind == "csv" else json_lines)(TODAY))
        done = run_driftd("reference", "build", folder / "driftd.yaml", "--input", folder / "normal", "--alias", "production")
        assert done.returncode == 0, done
        assert f"{len(NORMAL)} records, 0 rejected" in done.stdout, "a header is no record"
        made[kind] = settings, folder
    return made


def replayed(folder):
    out = folder / "replayed.jsonl"
    done = run_driftd("replay", folder / "driftd.yaml", "--input", folder / "today", "--all", "--findings", out)
    assert done.returncode == 0, done
    return read_lines(out)


def without_places(findings):
    """The configuration is in ids, the file's name in the reference's hash, and a header moves positions by one."""
    return [{**{key: value for key, value in f.items() if key not in ("id", "reference")},
             "detail": {key: value for key, value in f.get("detail", {}).items() if key != "first_source"}} for f in findings]


def test_csv_is_judged_as_the_same_rows_in_json(machines):
    found = {kind: replayed(folder) for kind, (_, folder) in machines.items()}
    assert without_places(found["csv"]) == without_places(found["json_lines"])
    failed = {(f["check"], f["window"]["start"]) for f in found["csv"] if f["verdict"] == "fail"}
    hot = [plant.window_start(n) for n in (23, 24)]
    assert failed == {("not_null", plant.window_start(20)), *(("in_range", start) for start in hot), *(("distance", start) for start in hot)}


def test_a_csv_file_live_is_judged_as_in_a_replay(machines, driftd):
    settings, folder = machines["csv"]
    (folder / "live").write_text((folder / "today").read_text())
    wanted = [f for f in replayed(folder) if "closed_by" not in f.get("detail", {})]
    del settings["service"]["data_dir"]
    service = driftd(settings)
    # Its own data directory has no reference: a stream without one judges what it can.
    service.wait_ready()
    found = service.wait_findings(lambda f: len(f) >= len(wanted), "all findings")
    assert {f["reason"] for f in found if f["check"] == "distance"} == {"no_reference"}
    judged = [f for f in found if f["check"] != "distance" and "closed_by" not in f.get("detail", {})]
    assert without_places(judged) == without_places(f for f in wanted if f["check"] != "distance")
    assert json.dumps(judged).count('"fail"') == 3
