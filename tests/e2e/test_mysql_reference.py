"""A reference built from a real MariaDB, and what a stream says against it."""
import os
import random
import subprocess
import time

import pytest

import plant
from driftd import BINARY, Driftd, run_driftd

ROWS = 100_000
MOST_MEMORY_KIB = 200 * 1024


@pytest.fixture(scope="module")
def table(mariadb):
    """100,000 rows of normal operation, with a null now and then."""
    mariadb.execute("CREATE TABLE pumps (sensor VARCHAR(20), ts BIGINT, temperature DOUBLE, status VARCHAR(10))")
    rng = random.Random(1)
    # Older than the live records, at the live rate, so that the windows of both have as many rows.
    begin = plant.START - ROWS * plant.WINDOW // plant.PER_WINDOW
    mariadb.load("pumps", ["sensor", "ts", "temperature", "status"], (
        ("p1", begin + i * plant.WINDOW // plant.PER_WINDOW, None if i % 1000 == 7 else rng.uniform(19.5, 20.5),
         "on" if rng.random() < 0.9 else "idle") for i in range(ROWS)))
    return "pumps"


@pytest.fixture
def config(mariadb, tmp_path):
    """A configuration with the database, the password in a file."""
    password = tmp_path / "password"
    password.write_text(mariadb.password + "\n")
    return plant.config(
        [{"check": "distance", "field": "temperature", "metric": "psi", "max": 0.5},
         {"check": "in_range", "field": "temperature", "min": -40, "max": 125}],
        stream_reference="pumps@production",
        databases={"plant": {"type": "mysql", "host": "127.0.0.1", "port": mariadb.port, "database": mariadb.database,
                             "user": mariadb.user, "password_file": str(password)}})


def build(service, table, *more):
    return run_driftd("reference", "build", service.config_path, "--stream", "plant", "--query",
                      f"SELECT sensor, ts, temperature, status FROM {table} ORDER BY ts", "--database", "plant",
                      "--name", "pumps", *more)


def wait_for_its_want(service):
    """The stream runs, but driftd is not ready without the reference that its configuration names."""
    def said():
        ready = service.get("/-/ready")
        return ready.status == 503 and "stream plant: runs without its reference, as there is no pumps@production yet" in ready.text
    service.wait(said, lambda: f"what is missing: {service.get('/-/ready')}")


def test_a_reference_from_a_query_judges_the_stream(driftd, config, table):
    service = driftd(config)
    wait_for_its_want(service)
    plant.post(service, plant.records(0, 3))
    [first, *_] = service.wait_findings(lambda found: len(found) >= 2, "verdicts without a reference", check="distance")
    assert (first["verdict"], first["reason"]) == ("no_verdict", "no_reference")
    assert service.terminate() == 0

    done = build(service, table, "--tag", "winter", "--alias", "production")
    assert done.returncode == 0, done.stderr
    listed = run_driftd("reference", "list", service.config_path)
    assert listed.returncode == 0 and "pumps" in listed.stdout and "winter" in listed.stdout and "production" in listed.stdout
    shown = run_driftd("reference", "show", service.config_path, "pumps@winter")
    assert shown.returncode == 0, shown.stderr
    assert str(ROWS) in shown.stdout, "how many rows it rests on"
    assert f"FROM {table}" in shown.stdout, "the query it was built from"

    # The same rows, judged against what was learned from them: nothing drifts.
    done = run_driftd("replay", service.config_path, "--query", f"SELECT sensor, ts, temperature, status FROM {table} ORDER BY ts LIMIT 5000",
                      "--database", "plant", "--fail-on", "fail")
    assert done.returncode == 0 and "5000 records" in done.stdout, done

    service.start().wait_ready()
    plant.post(service, plant.records(3, 3, temperature=20))
    plant.post(service, plant.records(6, 3, temperature=35))
    drifted = service.wait_findings(lambda found: len(found) >= 2, "the drift", check="distance", verdict="fail")
    assert {f["window"]["start"] for f in drifted} <= {plant.window_start(n) for n in range(6, 9)}, "only the hot windows"
    finding = drifted[0]
    assert finding["reference"]["name"] == "pumps" and finding["reference"]["version"] == 1
    assert finding["value"] > finding["threshold"] == 0.5
    assert finding["n"] == plant.PER_WINDOW and finding["n_reference"] > 0.99 * ROWS
    [(labels, one)] = service.metrics().all("driftd_reference_info", stream="plant")
    assert one == 1 and labels["version"] == "1" and labels["hash"].startswith(finding["reference"]["hash"][:8])
    answer = service.get("/api/v1/references")
    assert answer.status == 200 and "pumps" in answer.text, answer


def test_the_same_rows_make_the_same_reference(config, table):
    """Immutable and named by content: building again from the same rows gives the same hash, other
    rows another one."""
    service = Driftd(config)
    hashes = []
    for tag, source in (("a", table), ("b", table), ("c", f"{table} WHERE temperature < 20")):
        done = build(service, source, "--tag", tag)
        assert done.returncode == 0, done.stderr
        shown = run_driftd("reference", "show", service.config_path, f"pumps@{tag}").stdout
        hashes.append([word for line in shown.splitlines() if "hash" in line for word in line.split()][-1])
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize("query,what", [("SELECT nonsense FROM nowhere", "nowhere"), ("SELEC 1", "syntax")])
def test_a_query_that_fails_says_why(config, mariadb, query, what):
    service = Driftd(config)
    done = run_driftd("reference", "build", service.config_path, "--query", query, "--database", "plant", "--name", "x")
    assert done.returncode == 3, done
    assert what in done.stderr and mariadb.password not in done.stderr + done.stdout


def test_a_wrong_password_is_said_and_not_shown(config, table, tmp_path):
    (tmp_path / "password").write_text("wr0ng-secret\n")
    service = Driftd(config)
    done = build(service, table)
    assert done.returncode == 3, done
    assert "denied" in done.stderr.lower() and "wr0ng-secret" not in done.stderr + done.stdout


def test_memory_of_many_windows_is_bounded(config):
    """2,000,000 rows at 1 Hz in windows of 30 s: 66,667 windows of two fields, each with a history. Windows
    do not wait in memory for the end, and what is kept of one is small (docs/RELIABILITY.md)."""
    config["streams"]["plant"]["windows"]["size"] = "30s"
    service = Driftd(config)
    query = (f"SELECT 'p1' AS sensor, {plant.START} + seq * 1000 AS ts, 20 + (seq * 7919 % 10007) / 1000 AS temperature, "
             "IF(seq % 10 = 0, 'idle', 'on') AS status FROM seq_1_to_2000000")
    build = subprocess.Popen([str(BINARY), "reference", "build", service.config_path, "--query", query, "--name", "long"])
    _, status, usage = os.wait4(build.pid, 0)
    build.returncode = os.waitstatus_to_exitcode(status)
    assert build.returncode == 0
    assert usage.ru_maxrss < MOST_MEMORY_KIB, f"{usage.ru_maxrss / 1024:.0f} MiB"
    shown = run_driftd("reference", "show", service.config_path, "long@1").stdout
    assert "2000000" in shown, shown


def test_bit_columns_are_numbers(config, mariadb):
    """BIT(1) is how MySQL keeps flags, BIT(n) up to 64 bits; they come as bytes."""
    mariadb.execute("CREATE TABLE bits (sensor VARCHAR(20), ts BIGINT, running BIT(1), mask BIT(12))")
    mariadb.load("bits", ["sensor", "ts", "running", "mask"],
                 [("p1", plant.START + i * 1000, i % 2 == 0, 2048 + 3) for i in range(100)] + [("p1", plant.START + 100_000, None, 0)])
    config["streams"]["plant"]["fields"] = {"running": {"type": "flag"}, "mask": {"type": "integer"}}
    config["streams"]["plant"]["checks"] = [{"check": "not_null", "field": "running"}]
    service = Driftd(config)
    done = run_driftd("reference", "build", service.config_path, "--query", "SELECT * FROM bits ORDER BY ts", "--name", "bits")
    assert done.returncode == 0, done.stderr
    shown = run_driftd("reference", "show", service.config_path, "bits@1").stdout
    assert "running (flag): 100 values, 1 null" in shown and "mean 0.5, " in shown, shown
    assert "mask (integer): 101 values, 0 null" in shown and "0 to 2051" in shown, shown


def test_columns_are_named_as_what_stands_inside_another_thing(config, table):
    """A row of a query is flat: a field by its own name, sensor and time by the last part of their pointers."""
    config["streams"]["plant"]["decode"].update({"sensor": "/meta/sensor", "time": {"field": "/meta/ts", "unit": "ms"}})
    config["streams"]["plant"]["fields"]["temperature"]["path"] = "/readings/0/value"
    service = Driftd(config)
    done = build(service, f"{table} WHERE temperature < 20")
    assert done.returncode == 0 and ", 0 rejected" in done.stdout, done
    shown = run_driftd("reference", "show", service.config_path, "pumps@1").stdout
    assert "temperature (number): 0 values" not in shown and "bins, mean 19.7" in shown, shown


def test_a_server_that_falls_silent_does_not_hold_a_build_for_ever(config):
    config["databases"]["plant"]["timeout"] = "1s"
    service = Driftd(config)
    begin = time.monotonic()
    done = run_driftd("reference", "build", service.config_path, "--query", "SELECT 'p1' AS sensor, SLEEP(30) AS ts", "--name", "x")
    assert done.returncode == 3, done
    assert "SLEEP" in done.stderr, done.stderr
    assert time.monotonic() - begin < 15
