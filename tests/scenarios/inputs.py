#!/usr/bin/python3
"""Writes the inputs of the scenarios: one record a sensor and step, small enough to be read.

Times are seconds after 2026-01-01T00:00:00Z in the field t; windows are one minute unless a
scenario's config.yaml says otherwise. What each must find is said beside it.
"""
import json
import math
import pathlib

HERE = pathlib.Path(__file__).parent
START = 1767225600


def record(t, sensor="p1", **fields):
    return {"sensor": sensor, "t": START + t, **fields}


def healthy(t):
    """A temperature of 20 to 22 that never says the same number twice in a row."""
    return round(21 + math.sin(t * 1.7), 3)


def series(seconds, step=5, sensors=("p1",), **fields):
    return [record(t, s, temperature=healthy(t), **fields) for t in range(0, seconds, step) for s in sensors]


def write(name, records, file="input.jsonl"):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    (folder / file).write_text("".join(json.dumps(r) + "\n" for r in records))


def nulls_over_share():
    """Minute 1 (12 records): 1 null = 0.083, allowed 0.1. Minute 2: 1 null and 1 missing = 0.167."""
    rows = series(180)
    rows[13]["temperature"] = None
    rows[25]["temperature"] = None
    del rows[30]["temperature"]
    write("nulls_over_share", rows)


def out_of_range():
    """Row 16 is below -40, rows 17 and 18 above 125; 125 itself in row 30 is in range."""
    rows = series(180)
    for row, value in ((16, -40.5), (17, 140), (18, 126), (30, 125)):
        rows[row]["temperature"] = value
    write("out_of_range", rows)


def stuck_sensor():
    """p2 repeats 20.5 from row 12 of its own on; the 5th equal value and later ones fail: minute 1
    has rows 12 to 23 of it, of which 8 fail, minute 2 all 12. p1 is well."""
    rows = series(180, sensors=("p1", "p2"))
    for row in rows:
        if row["sensor"] == "p2" and row["t"] >= START + 60:
            row["temperature"] = 20.5
    write("stuck_sensor", rows)


def silent_sensor_gap():
    """p2 sends nothing between 55 s and 150 s. At the end of minute 1 it has been silent for 65 s, more
    than 30; its next record, at 150 s, is a gap of 95 s in minute 2. Minute 1 has 12 records, not 24."""
    rows = [r for r in series(240, sensors=("p1", "p2"))
            if r["sensor"] == "p1" or not 55 < r["t"] - START < 150]
    write("silent_sensor_gap", rows)


def ends_within_a_window():
    """The data ends 25 s into minute 2: nothing that comes after is missing of p1. p2's newest record is 40 s
    before the end, more than 30."""
    write("ends_within_a_window", [r for r in series(145, sensors=("p1", "p2")) if r["sensor"] == "p1" or r["t"] - START <= 100])


def silent_sensor_alert():
    """p1 and p2 are too hot in minutes 0 and 1; p1 is well in 2 and 3, p2 silent from 2 to 5 and well in 6 and 7.
    p1's alert ends with minute 3; p2's neither in its silence nor before its second good window, with minute 7.
    p3 is too hot in minutes 7 and 8, silent for 25 hours, and its alert says so."""
    rows = []
    for t in range(0, 540, 5):
        minute = t // 60
        for sensor in ("p0", "p1", "p2", "p3"):
            hot = minute < 2 if sensor in ("p1", "p2") else minute in (7, 8) and sensor == "p3"
            if sensor == "p2" and 2 <= minute <= 5:
                continue
            rows.append(record(t, sensor, temperature=90 if hot else healthy(t)))
    rows += [record(t, "p0", temperature=healthy(t)) for t in range(540, 26 * 3600, 1800)]
    write("silent_sensor_alert", rows)


def silent_sensor_checks():
    """As silent_sensor_gap, with checks on all levels: p2 and its site, south, have no record in minute 1, so
    only the gap is judged there. The stream counts 12 of 24, and its own checks are judged as ever."""
    rows = [dict(r, site="north" if r["sensor"] == "p1" else "south") for r in series(240, sensors=("p1", "p2"))
            if r["sensor"] == "p1" or not 55 < r["t"] - START < 150]
    write("silent_sensor_checks", rows)


def new_category():
    """The reference knows idle and on. 'broken' comes twice in minute 1; null is no category."""
    def status(t):
        return "idle" if t % 20 == 0 else "on"
    write("new_category", [record(t, temperature=healthy(t), status=status(t)) for t in range(0, 300, 5)],
          "reference.jsonl")
    rows = [record(t, temperature=healthy(t), status=status(t)) for t in range(0, 180, 5)]
    rows[14]["status"] = rows[17]["status"] = "broken"
    rows[20]["status"] = None
    write("new_category", rows)


def unit_change_distance():
    """From minute 2 on temperatures come in Fahrenheit: no value is where the reference has any."""
    write("unit_change_distance", series(600), "reference.jsonl")
    rows = series(240)
    for row in rows[24:]:
        row["temperature"] = round(row["temperature"] * 9 / 5 + 32, 3)
    write("unit_change_distance", rows)


def late_records():
    """Lateness is 10 s. Minute 0 closes when 70 s is seen (row 14). A record of 58 s that comes right
    before it still counts there; one of 30 s after it is late and counts nowhere."""
    rows = series(180)
    rows.insert(14, record(58, temperature=500))
    rows.insert(16, record(30, temperature=-500))
    write("late_records", rows)


def duplicate_and_out_of_order():
    """Minute 1: the record of 70 s comes twice, and that of 90 s after that of 95 s (5 s behind)."""
    rows = series(180)
    rows[18], rows[19] = rows[19], rows[18]
    rows.insert(15, dict(rows[14]))
    write("duplicate_and_out_of_order", rows)


def no_reference():
    """The stream names a reference that was never built: the distance says so, in_range still works."""
    rows = series(120)
    rows[3]["temperature"] = 200
    write("no_reference", rows)


def sliding_windows():
    """Windows of 2 minutes every minute: the one bad record at 70 s is in those that end at 2 and 3
    minutes, and in no other."""
    rows = series(240)
    rows[14]["temperature"] = 200
    write("sliding_windows", rows)


def segments():
    """North and south: south's 3 records above 125 of 12 in minute 1 fail for the stream, for south
    and for p2, each by its own share."""
    rows = series(120, sensors=("p1", "p2"))
    for row in rows:
        row["site"] = "north" if row["sensor"] == "p1" else "south"
        if row["sensor"] == "p2" and START + 60 <= row["t"] <= START + 70:
            row["temperature"] = 130
    write("segments", rows)


def empty_windows():
    """Nothing comes in minutes 2 and 3: the stream's windows are judged all the same."""
    write("empty_windows", [r for r in series(300) if not 120 <= r["t"] - START < 240])


def step_change():
    """A step of 1 at 90 s, a record a second. Page-Hinkley with a threshold of 5 sees it on the 6th: the
    sum of 90/(90+k) over k = 1 to 6 is 5.78. ADWIN looks every 32 records: at the 128th it drops 64
    zeros, at the 160th the bucket of the last 26 zeros and 6 ones."""
    write("step_change", [record(t, temperature=0 if t < 90 else 1) for t in range(0, 240)])


if __name__ == "__main__":
    for make in (nulls_over_share, out_of_range, stuck_sensor, silent_sensor_gap, ends_within_a_window, silent_sensor_alert,
                 silent_sensor_checks, new_category, unit_change_distance, late_records, duplicate_and_out_of_order,
                 no_reference,
                 sliding_windows, segments, empty_windows, step_change):
        make()
