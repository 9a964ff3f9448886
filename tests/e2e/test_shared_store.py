"""Several driftd with their checkpoints in one database: partitions go from one to another with their state, one
of them judges the stream's windows, and together they find what one alone would."""
import json
import signal

import pytest
from confluent_kafka import Producer

import plant
import servers
import shared_crash
from driftd import Driftd, read_lines, run_driftd
from shared_crash import leads, partitions

ALL = ("--from", "2000-01-01T00:00:00Z", "--to", "2030-01-01T00:00:00Z")
CHECKS = [{"check": "count", "min": 1000}, {"check": "stuck_value", "field": "temperature"},
          {"check": "in_range", "field": "temperature", "min": 0, "max": 10, "severity": "critical"}]
PARTITIONS = 4


@pytest.fixture
def database(mariadb, tmp_path):
    mariadb.execute("DROP TABLE IF EXISTS driftd_unit, driftd_state, driftd_output, driftd_output_chunk, driftd_format")
    return shared_crash.database(mariadb, tmp_path)


@pytest.fixture
def member(driftd, kafka, database, unique, webhook):
    kafka.create_topic(unique, partitions=PARTITIONS)

    def make(idle="1h", limits=None, **source):
        settings = plant.config(
            CHECKS, service={"checkpoint_every": "1s", "findings": {"all": True}, "limits": limits or {}},
            source={"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique,
                              "options": {"session.timeout.ms": "6000"}, **source}},
            stream_windows={"size": "10s", "lateness": "0s", "idle": idle, "by": ["stream", "sensor"]},
            alerts={"for": 1, "routes": [{"match": {"severity": "critical"}, "to": ["hook"]}],
                    "notifiers": {"hook": {"type": "webhook", "url": webhook.url}}})
        return driftd(shared_crash.member(settings, database))
    return make


def send(kafka, topic, first, windows):
    """Each partition a sensor of its own; all at a time, so that none is silent while others speak."""
    refused = []
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "enable.idempotence": True, "log_level": 0,
                         "delivery.report.only.error": True, "on_delivery": lambda error, _: refused.append(error)})
    for row in plant.records(first, windows):
        for p in range(PARTITIONS):
            [(key, value, timestamp, _)] = plant.kafka_records([{**row, "sensor": f"s{p}"}])
            producer.produce(topic, value, key, p, timestamp=timestamp)
    assert producer.flush(60) == 0 and not refused, refused


def partition_numbers(service):
    return [int(labels["partition"]) for labels, _ in service.metrics().all("driftd_source_lag", stream="plant")]


def end_of(finding):
    return finding["window"]["end"]


def found(*members):
    return sorted((f for m in members for f in read_lines(m.data_dir / "findings.jsonl")), key=end_of)


def replay(service, topic, tmp_path):
    out = tmp_path / "replayed.jsonl"
    done = run_driftd("replay", service.config_path, "--stream", "plant", "--kafka", topic, *ALL, "--all", "--findings", out)
    assert done.returncode == 0, done.stderr
    return [f for f in read_lines(out) if "closed_by" not in f.get("detail", {})]


def wait_window(number, *members):
    """That window was judged by one of them."""
    start = plant.window_start(number)
    members[0].wait(lambda: any(f["window"]["start"] == start for f in found(*members)),
                    lambda: f"window {number} judged\n" + "\n".join(m.log_tail() for m in members), 90)


def test_members_come_and_go_and_find_what_one_alone_would(member, kafka, unique, tmp_path, webhook):
    first = member().wait_ready()
    send(kafka, unique, 0, 3)
    wait_window(1, first)
    second = member().wait_ready()
    first.wait(lambda: (partitions(first), partitions(second)) == (2, 2), "two partitions each", 40)
    assert (leads(first), leads(second)) == (1, 0)
    send(kafka, unique, 3, 3)
    wait_window(4, first, second)
    assert not found(second), "what its partitions found went to the one that leads"
    # In good order: partitions and office go over at once, amid a window.
    assert first.terminate() == 0, first.log_tail()
    send(kafka, unique, 6, 3)
    wait_window(7, second)
    second.wait(lambda: leads(second), "the office to be shown")
    # It comes back as one that follows; then the other dies, and does not come back.
    first.start().wait_ready()
    first.wait(lambda: (partitions(first), partitions(second)) == (2, 2), "two partitions each", 40)
    send(kafka, unique, 9, 3)
    wait_window(10, first, second)
    second.kill9()
    send(kafka, unique, 12, 3)
    wait_window(13, first, second)
    first.wait(lambda: leads(first), "the office to be shown")
    done = run_driftd("store", "verify", first.config_path)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "every part is whole", done
    parts = json.loads(run_driftd("store", "inspect", first.config_path, "--json").stdout)["checkpoints"][0]["parts"]
    assert sorted(p["part"] for p in parts if p.get("stream") == "plant") == ["alerts", "merger"] + ["partition"] * PARTITIONS
    # What the dead one wrote behind its newest checkpoint was computed again: cut off when it starts.
    second.start().wait_ready()
    wanted = replay(first, unique, tmp_path)
    assert len(wanted) > 14 * 5
    first.wait(lambda: len(found(first, second)) == len(wanted), "all findings")
    assert [json.dumps(f) for f in found(first, second)] == [json.dumps(f) for f in wanted]
    assert "warms up" not in first.log() + second.log()
    ids = [r.headers["webhook-id"] for r in webhook.received()]
    assert len(set(ids)) == 1 + PARTITIONS, "each alert fired once: of the stream and of each sensor"
    assert first.terminate() == 0 and second.terminate() == 0


def test_a_state_that_is_damaged_is_named_and_its_partition_warms_up(member, kafka, unique, mariadb):
    service = member(instance_id=unique).wait_ready()
    send(kafka, unique, 0, 3)
    wait_window(1, service)
    service.wait(lambda: mariadb.execute("SELECT position FROM driftd_unit WHERE stream='plant' AND part=2")[0][0] == 3 * plant.PER_WINDOW,
                 "a checkpoint with a window that is open")
    service.kill9()
    mariadb.execute("UPDATE driftd_state SET bytes=CONCAT(SUBSTR(bytes, 1, 40), 'X', SUBSTR(bytes, 42)) WHERE stream='plant' AND part=2")
    done = run_driftd("store", "verify", service.config_path)
    assert done.returncode == 3 and "stream plant, partition 2" in done.stdout and "its checksum does not match" in done.stdout, done
    service.start().wait_ready()
    send(kafka, unique, 3, 3)
    wait_window(4, service)
    assert "its checksum does not match" in service.log()
    open_then = [f for f in found(service) if f["window"]["start"] == plant.window_start(2) and f["segment"]["by"] == "stream"]
    assert open_then and {f.get("reason") for f in open_then} == {"warming_up"}, open_then
    whole = [f for f in found(service) if f["window"]["start"] == plant.window_start(4) and f["check"] == "count"
             and f["segment"]["by"] == "stream"]
    assert [f["value"] for f in whole] == [PARTITIONS * plant.PER_WINDOW], whole


@pytest.mark.parametrize("of", ["the one that leads", "the other"])
def test_what_waits_for_a_partition_that_is_behind_stays_in_kafka(member, kafka, unique, mariadb, of):
    windows, each, most = 3000, 10, 24 << 20   # what was on its way to the workers; there are 40 MB of them
    first = member(limits={"waiting": "256KiB"}).wait_ready()
    send(kafka, unique, 0, 1)
    first.wait(lambda: leads(first), "it leads", 40)
    second = member(limits={"waiting": "256KiB"}).wait_ready()
    first.wait(lambda: (partitions(first), partitions(second)) == (2, 2), "two partitions each", 40)
    both = (first, second)
    behind = min(partition_numbers(first if of == "the one that leads" else second))

    def fill(some):
        for p in some:
            kafka.produce(unique, plant.kafka_records(
                {"sensor": f"s{p}", "ts": plant.START + plant.WINDOW + i * plant.WINDOW // each, "temperature": 20.0, "status": "on"}
                for i in range(windows * each)), partition=p)
    waits = lambda: first.metrics().get("driftd_windows_waiting_bytes", stream="plant")

    def stored():
        with mariadb.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT COALESCE(SUM(size), 0) FROM driftd_output")
            return int(cursor.fetchone()[0])
    fill(p for p in range(PARTITIONS) if p != behind)
    for service in both:
        service.wait(lambda: "those that are ahead are not read on" in service.log(), "it is held back", 60)
    assert waits() < most and stored() < most
    second.kill9()
    second.start().wait_ready(60)
    first.wait(lambda: (partitions(first), partitions(second)) == (2, 2), "two partitions each", 40)
    assert waits() < most and stored() < most
    fill([behind])
    counts = lambda: [f for f in found(*both) if f["check"] == "count" and f["segment"]["by"] == "stream"]
    first.wait(lambda: len(counts()) >= windows, lambda: f"all windows; there are {len(counts())}", 300)
    assert [f["window"]["start"] for f in counts()[1:]] == [plant.window_start(n) for n in range(1, windows)]
    assert {f["value"] for f in counts()[1:]} == {PARTITIONS * each}
    assert all(service.metrics().get("driftd_late_records_total", stream="plant") == 0 for service in both)
    assert first.terminate() == 0 and second.terminate() == 0


def test_a_partition_that_falls_silent_at_one_is_not_waited_for_by_the_other(member, kafka, unique):
    first = member(idle="20s").wait_ready()
    second = member(idle="20s").wait_ready()
    first.wait(lambda: (partitions(first), partitions(second)) == (2, 2), "two partitions each", 40)
    send(kafka, unique, 0, 3)
    wait_window(1, first, second)
    speaks = int(first.metrics().all("driftd_source_lag", stream="plant")[0][0]["partition"])
    kafka.produce(unique, list(plant.kafka_records(plant.records(3, 3, sensor=f"s{speaks}"))), partition=speaks)
    wait_window(4, first, second)
    counts = {f["window"]["start"]: f for f in found(first) if f["check"] == "count" and f["segment"]["by"] == "stream"}
    last = counts[plant.window_start(2)]
    assert (last["value"], last["detail"]["closed_by"]) == (PARTITIONS * plant.PER_WINDOW, "idle"), last
    assert counts[plant.window_start(4)]["value"] == plant.PER_WINDOW
    for m in (first, second):
        assert m.metrics().get("driftd_late_records_total", stream="plant") == 0


def test_one_that_was_taken_for_dead_ends_and_what_it_did_meanwhile_is_forgotten(member, kafka, unique, tmp_path):
    first = member().wait_ready()
    second = member().wait_ready()
    first.wait(lambda: (partitions(first), partitions(second)) == (2, 2), "two partitions each", 40)
    send(kafka, unique, 0, 3)
    wait_window(1, first, second)
    first.child.send_signal(signal.SIGSTOP)
    try:
        send(kafka, unique, 3, 3)
        wait_window(4, first, second)  # the session and the lease are over
        second.wait(lambda: leads(second), "the office to be shown")
    finally:
        first.child.send_signal(signal.SIGCONT)
    servers.wait_for(lambda: not first.running(), "its end", 40)
    assert first.child.returncode == 1 and "taken for dead" in first.log(), first.log_tail()
    first.start().wait_ready()
    first.wait(lambda: (partitions(first), partitions(second)) == (2, 2), "two partitions each", 40)
    send(kafka, unique, 6, 3)
    wait_window(7, first, second)
    wanted = replay(second, unique, tmp_path)
    second.wait(lambda: len(found(first, second)) == len(wanted), "all findings")
    assert found(first, second) == wanted


def test_one_whose_stream_cannot_run_gives_the_office_away(member, kafka, unique, mariadb, tmp_path):
    first = member().wait_ready()
    send(kafka, unique, 0, 3)
    wait_window(1, first)
    second = member().wait_ready()
    first.wait(lambda: (partitions(first), partitions(second)) == (2, 2), "two partitions each", 40)
    assert (leads(first), leads(second)) == (1, 0)
    # A start needs its folder's id; until then the stream runs, and is made to start anew.
    [name] = first.data_dir.glob("**/folder.id")
    name.unlink()
    name.mkdir()
    owner = (first.data_dir / "instance").read_text()
    mariadb.execute(f"UPDATE driftd_unit SET epoch=epoch+1 WHERE scope='' AND stream='plant' AND part>=0 AND owner='{owner}'")
    servers.wait_for(lambda: not first.running(), first.log_tail, 90)
    assert first.child.returncode == 1 and "stream plant does not run here" in first.log(), first.log_tail()
    first.start()
    second.wait(lambda: (leads(second), partitions(second)) == (1, PARTITIONS), "the office and all partitions at the other", 40)
    send(kafka, unique, 3, 3)
    wait_window(4, first, second)
    assert first.get("/-/ready").status == 503 and first.running(), "it waits for its folder without an office"
    name.rmdir()
    first.wait(lambda: partitions(first) == 2, "two partitions each", 60)
    send(kafka, unique, 6, 3)
    wait_window(7, first, second)
    assert (leads(first), leads(second)) == (0, 1)
    wanted = replay(second, unique, tmp_path)
    second.wait(lambda: len(found(first, second)) == len(wanted), "all findings")
    assert found(first, second) == wanted


def test_what_another_has_taken_over_is_not_overwritten(member, kafka, unique, mariadb, tmp_path):
    service = member().wait_ready()
    send(kafka, unique, 0, 3)
    wait_window(1, service)
    # As another driftd does that is assigned the partition while this one does not know yet that it has lost it.
    mariadb.execute("UPDATE driftd_unit SET owner='another', epoch=epoch+1, position=300 WHERE scope='' AND stream='plant' AND part=2")
    service.wait(lambda: "another driftd has taken over partition 2" in service.log(), "the next checkpoint to be refused")
    assert service.get("/-/ready").status == 503
    send(kafka, unique, 3, 3)
    service.wait(lambda: service.metrics().get("driftd_stream_restarts_total", stream="plant") == 1, "the stream to be started anew", 40)
    wait_window(4, service)
    wanted = replay(service, unique, tmp_path)
    service.wait(lambda: len(found(service)) == len(wanted), "all findings")
    assert found(service) == wanted


def test_a_database_that_is_away_holds_up_what_is_shared_and_loses_nothing(driftd, kafka, names, unique, tmp_path):
    kafka.create_topic(unique, partitions=PARTITIONS)
    with servers.MariaDB() as mariadb:
        databases = shared_crash.database(mariadb, tmp_path)
        databases["state"]["host"] = "mariadb.test"
        names.know("mariadb.test")
        settings = plant.config(CHECKS, service={"checkpoint_every": "1s", "findings": {"all": True}},
                                source={"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique}},
                                stream_windows={"size": "10s", "lateness": "0s", "idle": "1h", "by": ["stream", "sensor"]})
        pair = [driftd(shared_crash.member(settings, databases), env=names.environment()).wait_ready() for _ in range(2)]
        pair[0].wait(lambda: [partitions(m) for m in pair] == [2, 2], "two partitions each", 40)
        send(kafka, unique, 0, 3)
        wait_window(1, *pair)
        mariadb.kill()
        names.know()
        for m in pair:
            m.wait(lambda m=m: m.metrics().get("driftd_checkpoint_failures_total") >= 2, "checkpoints to fail")
            assert m.log().count("a checkpoint could not be written") == 1, m.log_tail()
        send(kafka, unique, 3, 3)
        pair[1].wait(lambda: pair[1].metrics().get("driftd_hand_over_pending_bytes", stream="plant") > 0, "windows to wait")
        for m in pair:  # whoever could judge window 4 by half has by now
            m.wait_metric("driftd_records_total", 2 * 6 * plant.PER_WINDOW, stream="plant", result="accepted")
        assert not any(f["window"]["start"] == plant.window_start(4) for f in found(*pair)), "not without the other's part"
        names.know(hangs=["mariadb.test"])  # ended after 10 s each time, by driftd
        failures = pair[0].metrics().get("driftd_checkpoint_failures_total")
        pair[0].wait(lambda: pair[0].metrics().get("driftd_checkpoint_failures_total") >= failures + 2, "checkpoints to fail", 60)
        names.know()
        mariadb.start()
        asked = names.asked("mariadb.test")
        pair[0].wait(lambda: names.asked("mariadb.test") >= asked + 4, "the name to be asked for again and again", 60)
        names.know("mariadb.test")
        wait_window(4, *pair)
        wanted = replay(pair[0], unique, tmp_path)
        pair[0].wait(lambda: len(found(*pair)) == len(wanted), "all findings")
        assert found(*pair) == wanted
        for m in pair:
            assert m.terminate() == 0, m.log_tail()


def test_a_database_that_is_halted_holds_up_no_stream_and_no_end(driftd, kafka, unique, tmp_path):
    """Its connections stay and nothing comes. Asked again at once it would cost its timeout each time, so it is not for a while."""
    kafka.create_topic(unique)
    with servers.MariaDB() as mariadb:
        settings = plant.config(CHECKS, service={"checkpoint_every": "1s", "findings": {"all": True}},
                                source={"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique,
                                                  "options": {"session.timeout.ms": "6000"}}},
                                stream_windows={"size": "10s", "lateness": "0s", "idle": "1h", "by": ["stream", "sensor"]})
        service = driftd(shared_crash.member(settings, shared_crash.database(mariadb, tmp_path))).wait_ready()
        kafka.produce(unique, plant.kafka_records(plant.records(0, 3)))
        wait_window(1, service)
        age = lambda: service.metrics().get("driftd_checkpoint_age_seconds")
        service.wait(lambda: age() < 1, "a checkpoint")
        mariadb.signal(signal.SIGSTOP)
        try:
            service.wait(lambda: service.metrics().get("driftd_checkpoint_failures_total") >= 2, "checkpoints to fail", 60)
            kafka.produce(unique, plant.kafka_records(plant.records(3, 3)))
            wait_window(4, service)
            assert service.get("/-/healthy").status == 200
            service.wait(lambda: service.metrics().get("driftd_checkpoint_failures_total") >= 6, "checkpoints to fail on", 90)
            assert age() > 10
        finally:
            mariadb.signal(signal.SIGCONT)
        service.wait(lambda: age() < 1.5, "checkpoints again", 60)
        service.kill9()
        service.start().wait_ready()
        kafka.produce(unique, plant.kafka_records(plant.records(6, 2)))
        wait_window(6, service)
        wanted = replay(service, unique, tmp_path)
        service.wait(lambda: len(found(service)) == len(wanted), "all findings")
        assert found(service) == wanted
        mariadb.signal(signal.SIGSTOP)
        try:
            assert service.terminate(within=35) == 0, service.log_tail()
        finally:
            mariadb.signal(signal.SIGCONT)


def test_partitions_that_are_not_taken_up_yet_are_waited_for_after_a_long_absence(member, kafka, unique, mariadb, tmp_path):
    """However long ago the store says that somebody read them last."""
    service = member(idle="100s").wait_ready()
    send(kafka, unique, 0, 3)
    wait_window(1, service)
    kafka.produce(unique, list(plant.kafka_records(plant.records(3, 3, sensor="s0"))), partition=0)
    service.wait_metric("driftd_records_total", (PARTITIONS * 3 + 3) * plant.PER_WINDOW, stream="plant", result="accepted")
    service.wait(lambda: mariadb.execute("SELECT position FROM driftd_unit WHERE stream='plant' AND part=0")[0][0] == 6 * plant.PER_WINDOW,
                 "a checkpoint with windows that wait")
    service.kill9()
    mariadb.execute("UPDATE driftd_unit SET beat=beat-INTERVAL 10 MINUTE WHERE stream='plant' AND part>=0")
    service.start()
    service.wait(lambda: leads(service) == 1, "the office", 60)
    service.wait(lambda: partitions(service) == PARTITIONS, "the partitions", 60)
    for p in range(1, PARTITIONS):
        kafka.produce(unique, list(plant.kafka_records(plant.records(3, 3, sensor=f"s{p}"))), partition=p)
    wait_window(4, service)
    wanted = replay(service, unique, tmp_path)
    service.wait(lambda: len(found(service)) == len(wanted), "all findings")
    assert found(service) == wanted
    assert service.terminate() == 0, service.log_tail()


def test_windows_that_are_larger_than_any_statement_are_handed_over(driftd, kafka, unique, tmp_path):
    sensors, checks = 6000, [{"check": "in_range", "field": "temperature", "min": 0, "max": 50},
                             {"check": "mean", "field": "temperature", "min": 0, "max": 50}, {"check": "not_null", "field": "status"}]
    kafka.create_topic(unique, partitions=2)
    with servers.MariaDB("--max-allowed-packet=1M") as mariadb:
        databases = shared_crash.database(mariadb, tmp_path)
        settings = plant.config(checks, service={"checkpoint_every": "1s"},
                                source={"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique}},
                                stream_windows={"size": "10s", "lateness": "0s", "idle": "1h", "by": ["stream", "sensor"]})
        pair = [driftd(shared_crash.member(settings, databases)).wait_ready() for _ in range(2)]
        pair[0].wait(lambda: [partitions(m) for m in pair] == [1, 1], "a partition each", 40)
        for p in range(2):
            rows = [{"sensor": f"sensor-{p}-{n:05}", "ts": plant.START + n, "temperature": 90.0} for n in range(sensors)]
            rows.append({"sensor": "end", "ts": plant.START + 10_001, "temperature": 20.0, "status": "on"})
            kafka.produce(unique, list(plant.kafka_records(rows)), partition=p)
        judged, wanted = [], {f"sensor-{p}-{n:05}" for p in range(2) for n in range(sensors)}

        def whole():  # findings are written in pieces
            judged[:] = found(*pair)
            large = sum(len(json.dumps(f)) for f in judged) > 2 * (4 << 20)  # of each partition more than four statements hold
            return large and {f["segment"]["value"] for f in judged if f["segment"]["by"] == "sensor"} >= wanted
        pair[0].wait(whole, lambda: f"the window to be judged, large and whole; there are {len(judged)} findings", 120)
        assert {f["segment"]["value"] for f in judged if f["segment"]["by"] == "sensor"} == wanted
        pair[0].wait(lambda: not mariadb.execute("SELECT id FROM driftd_output UNION SELECT id FROM driftd_output_chunk"),
                     "what the merger has to be deleted")
        for m in pair:
            assert m.metrics().get("driftd_hand_over_pending_bytes", stream="plant") == 0
            assert m.metrics().get("driftd_checkpoint_failures_total") == 0, m.log_tail()
            assert "cannot be handed over" not in m.log(), m.log_tail()


def test_a_database_that_takes_short_statements_only_is_refused(tmp_path):
    with servers.MariaDB("--max-allowed-packet=512K") as mariadb:
        service = Driftd(shared_crash.member(plant.config(CHECKS), shared_crash.database(mariadb, tmp_path)))
        try:
            service.spawn()
            servers.wait_for(lambda: not service.running(), "its end", 30)
            assert service.child.returncode == 3 and "set its max_allowed_packet to 1048576 or more" in service.log(), service.log_tail()
        finally:
            service.close()


def test_a_store_of_another_format_is_refused(database, mariadb):
    mariadb.execute("CREATE TABLE driftd_format(one INT NOT NULL PRIMARY KEY, format INT NOT NULL)")
    mariadb.execute("INSERT INTO driftd_format VALUES(1, 99)")
    service = Driftd(shared_crash.member(plant.config(CHECKS), database))
    try:
        for done in run_driftd("run", service.config_path), run_driftd("store", "verify", service.config_path):
            assert done.returncode == 3 and "its tables are of a newer driftd, of format 99, and this one" in done.stderr, done
    finally:
        service.close()
    assert [t for t, in mariadb.execute("SHOW TABLES LIKE 'driftd_%%'")] == ["driftd_format"]


def test_a_database_that_is_not_there_at_the_start_is_named(tmp_path):
    with servers.MariaDB() as mariadb:
        service = Driftd(shared_crash.member(plant.config(CHECKS), shared_crash.database(mariadb, tmp_path)))
        done = run_driftd("store", "inspect", service.config_path)
        assert done.returncode == 3 and "driftd_unit" in done.stderr, done
        assert not mariadb.execute("SHOW TABLES"), "looking makes no tables"
    try:
        service.spawn()
        servers.wait_for(lambda: not service.running(), "its end", 30)
        assert service.child.returncode == 3 and "the shared store: cannot connect" in service.log(), service.log_tail()
    finally:
        service.close()


def test_kills_of_two_that_share_a_stream_cost_nothing():
    """A short form of scripts/crash_test shared."""
    counts = shared_crash.run(kills=6, seed=7)
    assert counts.windows > 20 and counts.offices > 2, counts
    assert (counts.lost, counts.double, counts.differing, counts.webhooks, counts.alerts) == (0, 0, 0, 0, 0), counts
