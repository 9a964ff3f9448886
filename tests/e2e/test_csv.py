"""CSV as JSON lines: the same rows make the same reference and the same findings, by command and live, and
whichever of the two the stream itself reads."""
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
    found = service.wait_findings(lambda f: len(f) >= len(wanted), "all findings")
    assert {f["reason"] for f in found if f["check"] == "distance"} == {"no_reference"}
    judged = [f for f in found if f["check"] != "distance" and "closed_by" not in f.get("detail", {})]
    assert without_places(judged) == without_places(f for f in wanted if f["check"] != "distance")
    assert json.dumps(judged).count('"fail"') == 3


NESTED = {"decode": {"format": "json", "sensor": "/meta/sensor", "time": {"field": "/meta/ts", "unit": "ms"}},
          "fields": {"temperature": {"type": "number", "path": "/readings/0/value"}, "status": {"type": "category", "role": "segment"}}}
FLAT = {"decode": {"format": "csv", "sensor": "sensor", "time": {"field": "ts", "unit": "ms"}},
        "fields": {"temperature": "number", "status": {"type": "category", "role": "segment"}}}


def nested(rows):
    return plant.lines({"meta": {"sensor": row["sensor"], "ts": row["ts"]}, "readings": [{"value": row["temperature"]}], "status": 'on, "full"'}
                       for row in rows)


def stream(tmp_path, name, settings):
    """A configuration whose stream takes records by HTTP (JSON) or from a file (CSV)."""
    source = {"http": {}} if settings["decode"]["format"] == "json" else {"file": {"paths": [str(tmp_path / "live")], "format": "csv"}}
    made = plant.config(CHECKS, source=source, service={"data_dir": str(tmp_path / name), "findings": {"all": True}},
                        stream_reference="plant@production")
    made["streams"]["plant"].update(settings)
    made["streams"]["plant"]["windows"]["by"] = ["stream", "status", "sensor"]
    path = tmp_path / f"{name}.yaml"
    path.write_text(yaml.safe_dump(made))
    return path


def learned(config, source):
    """All that the reference has from this file but what names the file and the moment."""
    done = run_driftd("reference", "build", config, "--input", source, "--alias", "production")
    assert done.returncode == 0 and f"{len(NORMAL)} records, 0 rejected" in done.stdout, done
    shown = run_driftd("reference", "show", config, done.stdout.split()[0]).stdout
    return shown[shown.index("\n  records"):shown.index("production ->")]


@pytest.mark.parametrize("settings,own,other", [(NESTED, ("jsonl", nested), ("CSV", csv)), (FLAT, ("csv", csv), ("ndjson", json_lines)),
                                                (FLAT, ("csv", csv), ("json", json_lines))], ids=["json_stream", "csv_stream", "json_ending"])
def test_a_file_is_read_as_its_name_says(tmp_path, settings, own, other):
    """A reference from an export in the other format, and a replay of one: as from the stream's own."""
    config, said = stream(tmp_path, "config", settings), []
    for ending, write in (own, other, ("other", own[1])):  # a name that says nothing: as the stream reads
        (tmp_path / f"normal.{ending}").write_text(write(NORMAL))
        (tmp_path / f"today.{ending}").write_text(write(TODAY))
        profile = learned(config, tmp_path / f"normal.{ending}")
        out = tmp_path / f"found.{ending}"
        done = run_driftd("replay", config, "--input", tmp_path / f"today.{ending}", "--all", "--findings", out)
        assert done.returncode == 0 and f"{len(TODAY)} records" in done.stdout, done
        said.append((profile, without_places(read_lines(out))))
    assert f"temperature (number): {len(NORMAL)} values, 0 null" in said[0][0]
    assert sum(f["verdict"] == "fail" for f in said[0][1]) >= 5
    assert said[0] == said[1] == said[2]


def test_standard_input_is_read_as_the_stream_reads(tmp_path):
    for settings, write in ((NESTED, nested), (FLAT, csv)):
        config = stream(tmp_path, settings["decode"]["format"], settings)
        done = run_driftd("replay", config, "--input", "-", stdin=write(TODAY))
        assert done.returncode == 0 and f"{len(TODAY)} records" in done.stdout, done


def test_what_a_command_cannot_read_it_says(tmp_path):
    config = stream(tmp_path, "mixed", NESTED)
    (tmp_path / "a.jsonl").write_text(nested(NORMAL))
    (tmp_path / "b.csv").write_text(csv(NORMAL))
    for command in (("reference", "build"), ("replay",)):
        done = run_driftd(*command, config, "--input", tmp_path / "a.jsonl", tmp_path / "b.csv")
        assert done.returncode == 2 and "b.csv as csv" in done.stderr and "one format" in done.stderr, done
    apart = {**FLAT, "decode": {"format": "csv", "sensor": "sensor", "time": {"field": "ts", "unit": "rfc3339"}, "time_parts": ["day", "hour"]}}
    done = run_driftd("replay", stream(tmp_path, "apart", apart), "--input", tmp_path / "a.jsonl")
    assert done.returncode == 2 and "time_parts" in done.stderr, done
