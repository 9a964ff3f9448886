"""Real data as records. It is not part of the project; tests that need it skip when it is not there."""
import collections
import csv
import datetime
import heapq
import json
import os
import pathlib

import pytest

_ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(os.environ.get("DRIFTD_DATA") or _ROOT.parent / "shared" / "data")
README = _ROOT / "README.md"
MOTES = (1, 4, 6)
# Columns of the raw motes after date and time.
_INTEL_FIELDS = ("epoch", "mote", "temperature", "humidity", "light", "voltage")
SKAB_SENSORS = ("accelerometer1", "accelerometer2", "current", "pressure", "temperature", "thermocouple", "voltage",
                "flow")


def path(name):
    """A data file, or the test is skipped."""
    found = FOLDER / name
    if not found.exists():
        pytest.skip(f"needs the real data file {name}; set DRIFTD_DATA to the folder that has it")
    return found


def _milliseconds(text):
    # Two layouts: with and without a fraction. All times are UTC, as driftd takes them.
    layout = "%Y-%m-%d %H:%M:%S.%f" if "." in text else "%Y-%m-%d %H:%M:%S"
    time = datetime.datetime.strptime(text, layout).replace(tzinfo=datetime.timezone.utc)
    return int(time.timestamp()) * 1000 + time.microsecond // 1000


def intel_mote(mote):
    """Rows of one raw mote as dicts, in file order. A row whose last columns are missing has the
    fields it has; one that is no row of numbers comes as {"garbage": line}."""
    for line in path(f"intel/raw-mote{mote:02}.txt").read_text().splitlines():
        parts = line.split()
        try:
            row = {"ts": _milliseconds(" ".join(parts[:2]))}
            for name, text in zip(_INTEL_FIELDS, parts[2:]):
                row[name] = text if name == "mote" else int(text) if name == "epoch" else float(text)
            yield row
        except ValueError:
            yield {"garbage": line}


def intel():
    """The three motes as one stream in the order of time, as a gateway would forward them."""
    return heapq.merge(*(intel_mote(m) for m in MOTES), key=lambda row: row.get("ts", 0))


def intel_messages(rows):
    """(key, value, timestamp_ms, headers) for Kafka: JSON keyed by mote; garbage as it stood."""
    for row in rows:
        if "garbage" in row:
            yield None, row["garbage"].encode(), None, None
        else:
            yield row.get("mote", "").encode(), json.dumps(row).encode(), row["ts"], None


def skab_valve1():
    """(time in ms, [value of every sensor of SKAB_SENSORS]) for each second of the eight valve1 files,
    which follow each other in time."""
    for number in range(8):
        with open(path(f"skab/valve1-{number}.csv"), newline="") as file:
            reader = csv.reader(file, delimiter=";")
            next(reader)
            for row in reader:
                yield _milliseconds(row[0]), [float(text) for text in row[1:9]]


def skab_messages(rows):
    """(topic, payload) for MQTT, one topic a sensor: skab/valve1/flow {"ts":..., "flow":32.0}."""
    for time, values in rows:
        for sensor, value in zip(SKAB_SENSORS, values):
            yield f"skab/valve1/{sensor}", json.dumps({"ts": time, sensor: value})


def readme(of):
    """What README.md says was found, in windows of "Intel, a sensor" or "SKAB, the stream": {(check, field): windows}."""
    found = {}
    for line in README.read_text().splitlines():
        if not line.startswith(f"| {of} |"):
            continue
        name, count = line.split("|")[2:4]
        check, *rest = name.split()
        # After the check its field, or its bound: "gap over 15 minutes".
        found[check, rest[0] if rest and rest[0] != "over" else None] = int(count)
    assert found, of
    return found


def failed(findings, by):
    """The same of findings: the windows of segments of the kind `by` in which a check failed, for each."""
    return dict(collections.Counter((f["check"], f.get("field")) for f in findings
                                    if f["verdict"] == "fail" and f["segment"]["by"] == by))
