"""Gate mode with a real Kafka: every record once in the topic of its verdict, whatever dies."""
import contextlib
import json
import random
import shutil
import signal
import time

import pytest

import plant
import servers
from driftd import Driftd, run_driftd
from kafka_readers import committed_to_the_end, read_all
from servers.kafka_wire import Requests

PARTITIONS = 3
CHECKS = [
    {"check": "in_range", "field": "temperature", "min": 0, "max": 100},
    {"check": "not_null", "field": "temperature"},
    {"check": "in_set", "field": "status", "values": ["on", "off"]},
    {"check": "in_range", "field": "temperature", "name": "odd", "min": 15, "severity": "info"},
    {"check": "gap", "max": "1s"},
]


@pytest.fixture(autouse=True)
def kafka_runs_again(request):
    """Whatever became of a test that kills it: the next one needs it."""
    yield
    if "kafka" in request.fixturenames and not (kafka := request.getfixturevalue("kafka")).running():
        kafka.start()


def config(kafka, name, **gate):
    source = {"kafka": {"brokers": [kafka.bootstrap], "topics": [name], "group": name, "instance_id": "one",
                        "options": {"session.timeout.ms": 6000, "reconnect.backoff.max.ms": 500}}}
    return plant.config(CHECKS, source=source, stream_gate={"valid": f"{name}.valid", "invalid": f"{name}.invalid", **gate},
                        service={"checkpoint_every": "700ms"})


def topics(kafka, name):
    for topic in (name, f"{name}.valid", f"{name}.invalid"):
        kafka.create_topic(topic, partitions=PARTITIONS)


def records(first, count):
    """(key, value, timestamp, headers) and the verdict that each must get: some fail, some are no JSON."""
    for i in range(first, first + count):
        sensor = f"s{i % 7}"
        row = {"sensor": sensor, "ts": plant.START + i * 2, "temperature": 20.0, "status": "on", "n": i}
        verdict = "valid"
        if i % 10 == 3:
            row["temperature"], verdict = 150.0, "invalid"
        elif i % 10 == 4:
            row["temperature"] = 10.0  # fails a check of severity info only
        elif i % 50 == 6:
            row["temperature"], row["status"], verdict = None, "strange", "invalid"
        value = json.dumps(row).encode()
        if i % 20 == 7:
            value, verdict = b"{" + str(i).encode(), "reject"
        yield (sensor.encode(), value, row["ts"], [("origin", str(i).encode())]), verdict


def produce(kafka, name, made, **settings):
    """By sensor, so that each key has its partition; returns {position: (message, verdict)}."""
    expected = {}
    ends = {p: high for p, (_, high) in kafka.watermarks(name).items()}
    for partition in range(PARTITIONS):
        mine = [(m, v) for m, v in made if int(m[0][1:]) % PARTITIONS == partition]
        kafka.produce(name, [m for m, _ in mine], partition=partition, **settings)
        expected.update({f"{name}/{partition}/{ends[partition] + i}": each for i, each in enumerate(mine)})
    return expected


def headers(message):
    return {name: (value or b"").decode() for name, value in message.headers() or []}


def forwarded(kafka, name, isolation="read_committed"):
    return {kind: read_all(kafka, f"{name}.{kind}", isolation) for kind in ("valid", "invalid")}


def check_all(kafka, name, expected, isolation="read_committed"):
    """Nothing lost, nothing double, each in its topic with its headers, unchanged, in order."""
    seen = {}
    for kind, messages in forwarded(kafka, name, isolation).items():
        last = {}
        for message in messages:
            h = headers(message)
            position = h["driftd-position"]
            assert position not in seen, f"{position} is there twice"
            seen[position] = h["driftd-verdict"]
            (key, value, timestamp, had), verdict = expected[position]
            assert (message.key(), message.value(), message.timestamp()[1]) == (key, value, timestamp)
            assert h["origin"] == had[0][1].decode()
            assert h["driftd-verdict"] == verdict and h["driftd-stream"] == "plant"
            assert kind == ("valid" if verdict == "valid" else "invalid")
            _, partition, offset = position.split("/")
            assert int(partition) == message.partition()
            assert int(offset) > last.get(partition, -1), "out of order"
            last[partition] = int(offset)
    lost = expected.keys() - seen.keys()
    assert not lost, f"{len(lost)} of {len(expected)} lost, such as {sorted(lost)[:3]}"


def wait_forwarded(service, count, timeout=60):
    """Counted since driftd started."""
    service.wait(lambda: service.metrics().get("driftd_gate_records_total", stream="plant") >= count,
                 lambda: f"{count} forwarded, there are {service.metrics().get('driftd_gate_records_total')}", timeout)


def wait_committed(kafka, service, name, timeout=90):
    """Until the group's positions are at the end of the topic."""
    service.wait(lambda: committed_to_the_end(kafka, name, name),
                 lambda: f"positions {kafka.committed(name, name)} of {kafka.watermarks(name)}", timeout)


@contextlib.contextmanager
def behind_a_proxy(unique, **gate):
    """A Kafka, the proxy in front of it and a configuration that goes there."""
    port = servers.free_port()
    with servers.Kafka(proxy=port) as kafka, servers.Proxy(kafka.door, port) as proxy:
        topics(kafka, unique)
        settings = config(kafka, unique, **gate)
        there = settings["streams"]["plant"]["from"]["kafka"]
        there["brokers"] = [f"127.0.0.1:{port}"]
        there["options"].update({"session.timeout.ms": 20000, "fetch.message.max.bytes": 20000})
        yield kafka, proxy, settings


def test_a_kafka_that_takes_little_holds_up_the_source_and_not_the_memory(driftd, unique):
    buffer = 128 * 1024
    with behind_a_proxy(unique, buffer="128KiB") as (kafka, proxy, settings):
        service = driftd(settings).wait_ready()
        expected = produce(kafka, unique, list(records(0, 1000)))
        wait_forwarded(service, 1000)
        proxy.rate(60_000)
        made = [produce(kafka, unique, list(records(1000, 8000)), batch_num_messages=34)]
        waiting = lambda: service.metrics().get("driftd_gate_waiting_bytes", stream="plant")
        service.wait(lambda: waiting() >= buffer, lambda: f"as much waits as may: {waiting()}", 60)
        until = time.monotonic() + 5
        while time.monotonic() < until:
            assert waiting() < 4 * buffer, "with what was on its way"
            time.sleep(0.1)
        assert service.metrics().get("driftd_source_lag", stream="plant") > 1000, "the rest is where it was"
        proxy.rate(None)
        wait_forwarded(service, 9000, 90)
        for some in made:
            expected.update(some)
        check_all(kafka, unique, expected)


def test_over_a_slow_link_it_finds_where_a_killed_one_stood(driftd, unique):
    """It looks up a record of each partition, whatever the source's options say, in as many tries as that takes."""
    with behind_a_proxy(unique, buffer="128KiB") as (kafka, proxy, settings):
        settings["service"]["checkpoint_every"] = "1h"
        options = settings["streams"]["plant"]["from"]["kafka"]["options"]
        del options["fetch.message.max.bytes"]
        options.update({"fetch.min.bytes": 1000000, "fetch.wait.max.ms": 1000})
        service = driftd(settings).wait_ready()
        expected = produce(kafka, unique, list(records(0, 1000)))
        wait_forwarded(service, 1000)
        service.kill9()
        expected.update(produce(kafka, unique, list(records(1000, 20_000))))
        proxy.rate(150_000)
        service.start()
        wait_forwarded(service, 100, 120)
        proxy.rate(None)
        wait_committed(kafka, service, unique)
        check_all(kafka, unique, expected)


def test_a_reload_that_is_refused_leaves_a_gate_that_is_behind_going(driftd, unique, tmp_path):
    """It holds up the source until a checkpoint; the next one here would be in an hour."""
    with behind_a_proxy(unique, buffer="8MiB") as (kafka, proxy, settings):
        settings["service"]["checkpoint_every"] = "1h"
        service = driftd(settings).wait_ready()
        expected = produce(kafka, unique, list(records(0, 1000)))
        wait_forwarded(service, 1000)
        proxy.rate(200_000)
        made = [produce(kafka, unique, list(records(1000, 15000)), batch_num_messages=170)]
        service.wait(lambda: service.metrics().get("driftd_gate_waiting_bytes", stream="plant") > 1.2 * 2**20, "much waits", 60)
        wrong = json.loads(json.dumps(settings))
        wrong["streams"]["other"] = {**wrong["streams"]["plant"],
                                     "from": {"file": {"paths": [str(tmp_path / "absent.jsonl")], "format": "json_lines"}}}
        del wrong["streams"]["other"]["gate"]
        service.write_config(wrong)
        answer = service.post("/-/reload", timeout=60)
        assert answer.status >= 400 and "absent.jsonl" in answer.text, answer
        proxy.rate(None)
        wait_forwarded(service, 16000, 60)
        for some in made:
            expected.update(some)
        check_all(kafka, unique, expected)


def test_each_record_goes_to_the_topic_of_its_verdict_with_headers(kafka, driftd, unique):
    topics(kafka, unique)
    expected = produce(kafka, unique, list(records(0, 5000)))
    service = driftd(config(kafka, unique)).wait_ready()
    wait_forwarded(service, 5000)
    check_all(kafka, unique, expected)
    for message in read_all(kafka, f"{unique}.invalid"):
        h = headers(message)
        if h["driftd-verdict"] == "reject":
            assert h["driftd-reason"] == "undecodable" and "driftd-check" not in h
        elif json.loads(message.value())["temperature"] is None:
            assert (h["driftd-check"], h["driftd-reason"]) == ("not_null", "null_value")
            assert h["driftd-checks"] == "not_null,in_set"
        else:
            assert (h["driftd-check"], h["driftd-field"], h["driftd-reason"], h["driftd-detail"]) == \
                ("in_range", "temperature", "out_of_range", "150")
            assert "driftd-checks" not in h
    metrics = service.metrics()
    assert metrics.get("driftd_gate_up", stream="plant") == 1
    wanted = [v for _, v in expected.values()]
    for verdict in ("valid", "invalid", "reject"):
        assert metrics.get("driftd_gate_records_total", stream="plant", result=verdict) == wanted.count(verdict)
    # In good order: nothing is left open, and a restart forwards nothing again.
    assert service.terminate() == 0, service.log_tail()
    service.start().wait_ready()
    expected.update(produce(kafka, unique, list(records(5000, 100))))
    wait_forwarded(service, 100)
    check_all(kafka, unique, expected)
    # Nor does one that knows nothing any more: it goes on where the group stands.
    assert service.terminate() == 0, service.log_tail()
    shutil.rmtree(service.data_dir)
    service.start().wait_ready()
    expected.update(produce(kafka, unique, list(records(5100, 100))))
    wait_forwarded(service, 100)
    check_all(kafka, unique, expected)
    metrics = service.metrics()
    read = sum(metrics.get("driftd_records_total", stream="plant", result=result) for result in ("accepted", "rejected"))
    assert read == 100 and "warms up" in service.log(), "nothing is judged again"


def test_killed_at_random_and_the_broker_too_nothing_is_lost_or_double(kafka, driftd, unique):
    topics(kafka, unique)
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    service = driftd(config(kafka, unique, commit_every="20ms"))
    expected, made = {}, 0
    for kill in range(10):
        expected.update(produce(kafka, unique, list(records(made, 6000))))
        made += 6000
        time.sleep(chance.uniform(0.05, 1.5))
        if kill == 6:
            kafka.kill()
            time.sleep(1)
            kafka.start()
        else:
            service.kill9()
            service.start()
    wait_committed(kafka, service, unique)
    check_all(kafka, unique, expected)
    # So it can fail: without transactions every reader would see what this one sees. The kill comes
    # when a transaction has sent something and stays open for long.
    assert service.terminate() == 0, service.log_tail()
    settings = config(kafka, unique, commit_every="10s")
    settings["service"]["checkpoint_every"] = "1h"  # each would commit what is open
    service.write_config(settings)
    service.start().wait_ready()
    before = uncommitted(kafka, unique)
    expected.update(produce(kafka, unique, list(records(made, 500))))
    service.wait(lambda: uncommitted(kafka, unique) > before, "something was sent", 30)
    service.kill9()
    service.start()
    wait_committed(kafka, service, unique)
    check_all(kafka, unique, expected)
    with pytest.raises(AssertionError, match="is there twice"):
        check_all(kafka, unique, expected, isolation="read_uncommitted")
    assert service.terminate() == 0, service.log_tail()


def uncommitted(kafka, name):
    """Records in the valid topic, with those of open transactions."""
    return sum(high for _, high in kafka.watermarks(f"{name}.valid", isolation="read_uncommitted").values())


def test_killed_before_the_first_transaction_latest_means_the_first_start(kafka, driftd, unique):
    topics(kafka, unique)
    produce(kafka, unique, list(records(0, 100)))
    settings = config(kafka, unique)
    settings["streams"]["plant"]["from"]["kafka"]["start"] = "latest"
    service = driftd(settings).wait_ready()
    wait_committed(kafka, service, unique)
    service.kill9()
    expected = produce(kafka, unique, list(records(100, 500)))
    service.start().wait_ready()
    wait_forwarded(service, 500)
    check_all(kafka, unique, expected)


def test_records_that_retention_took_before_they_were_forwarded_are_a_gap_also_for_latest(kafka, driftd, unique):
    topics(kafka, unique)
    settings = config(kafka, unique)
    settings["streams"]["plant"]["from"]["kafka"]["start"] = "latest"
    service = driftd(settings).wait_ready()
    wait_committed(kafka, service, unique)
    expected = produce(kafka, unique, list(records(0, 300)))
    wait_forwarded(service, 300)
    assert service.terminate() == 0
    gone = produce(kafka, unique, list(records(300, 300)))
    for partition, (_, end) in kafka.watermarks(unique).items():
        kafka.delete_records(unique, partition, end - 1)
    shutil.rmtree(service.data_dir)  # only the group's positions are left
    service.start().wait_ready()
    last = {f"{unique}/{p}/{end - 1}" for p, (_, end) in kafka.watermarks(unique).items()}
    expected.update({position: each for position, each in gone.items() if position in last})
    wait_committed(kafka, service, unique)
    check_all(kafka, unique, expected)
    assert service.metrics().get("driftd_source_gaps_total", stream="plant") == PARTITIONS
    assert service.metrics().get("driftd_source_lost_records_total", stream="plant") == 300 - PARTITIONS


def test_what_a_record_is_made_of_is_kept(kafka, driftd, unique):
    topics(kafka, unique)
    value = json.dumps({"sensor": "s0", "ts": plant.START, "temperature": 20.0, "status": "on"}).encode()
    sent = [(b"k", None, plant.START, None),                      # a tombstone is a reject, and stays one
            (b"k", b"", plant.START + 1, None),
            (None, value, plant.START + 2, None),                 # no key
            (b"", value, plant.START + 3, None),                  # an empty one
            (b"\x00\xff", value, plant.START + 4, [("a", b"1"), ("a", None), ("a", b""), ("driftd-verdict", b"old")])]
    kafka.produce(unique, sent, partition=0)
    service = driftd(config(kafka, unique)).wait_ready()
    wait_forwarded(service, len(sent))
    came = {}
    for messages in forwarded(kafka, unique).values():
        came.update({int(headers(m)["driftd-position"].split("/")[2]): m for m in messages})
    for offset, (key, payload, timestamp, had) in enumerate(sent):
        message = came.pop(offset)
        assert (message.key(), message.value(), message.timestamp()[1]) == (key, payload, timestamp)
        assert message.headers()[:len(had or [])] == (had or [])
        verdict = "valid" if payload else "reject"
        assert headers(message)["driftd-verdict"] == verdict, "the last one of a name is ours"
        assert payload or headers(message)["driftd-reason"] == "empty_payload"
    assert not came


def test_a_broker_that_is_away_is_waited_for(kafka, driftd, unique):
    topics(kafka, unique)
    expected = produce(kafka, unique, list(records(0, 1000)))
    service = driftd(config(kafka, unique)).wait_ready()
    wait_forwarded(service, 1000)
    kafka.kill()
    service.wait(lambda: service.get("/-/ready").status == 503, "not ready", 60)
    kafka.start()
    expected.update(produce(kafka, unique, list(records(1000, 1000))))
    wait_forwarded(service, 2000, timeout=90)
    service.wait_ready(60)
    check_all(kafka, unique, expected)
    # Told to stop while it is away, too.
    expected.update(produce(kafka, unique, list(records(2000, 20_000))))
    kafka.kill()
    assert service.terminate(within=30) == 0, service.log_tail()  # service.shutdown_grace
    kafka.start()
    service.start().wait_ready(60)
    wait_committed(kafka, service, unique)
    check_all(kafka, unique, expected)


@pytest.mark.parametrize("how", ["stop", "reload"])
def test_a_coordinator_that_goes_in_the_middle_of_a_commit_holds_up_no_end(driftd, unique, how):
    port = servers.free_port()
    with servers.Kafka(proxy=port) as kafka, servers.Proxy(kafka.door, port, Requests) as proxy:
        topics(kafka, unique)
        expected = produce(kafka, unique, list(records(0, 1000)))
        through = config(kafka, unique)
        through["streams"]["plant"]["from"]["kafka"]["brokers"] = [f"127.0.0.1:{port}"]
        # Before the one whose gate will hang, and with other checks after the reload: it needs a checkpoint when it stops.
        other = plant.config([{"check": "count", "min": 0, "max": 10}])["streams"]["plant"]
        through["streams"] = {"other": other, **through["streams"]}
        service = driftd(through).wait_ready()
        wait_forwarded(service, 1000)
        proxy.cut_at(Requests.TXN_OFFSET_COMMIT)
        expected.update(produce(kafka, unique, list(records(1000, 1000))))
        assert proxy.is_cut.wait(30)
        service.wait(lambda: service.metrics().get("driftd_gate_up", stream="plant") == 0, "the gate to be known to hang", 30)
        begin = time.monotonic()
        if how == "stop":
            assert service.terminate(within=30) == 0, service.log_tail()  # service.shutdown_grace
        else:
            through["streams"]["plant"]["gate"]["commit_every"] = "50ms"
            other["checks"][0]["max"] = 11
            service.write_config(through)
            assert service.post("/-/reload", timeout=60).status == 200, service.log_tail()
        assert time.monotonic() - begin < 29, service.log_tail()
        assert "it is left to itself" in service.log(), service.log_tail()
        proxy.mend()
        if how == "stop":
            service.start()
        service.wait_ready(60)
        expected.update(produce(kafka, unique, list(records(2000, 1000))))
        wait_committed(kafka, service, unique)
        check_all(kafka, unique, expected)


def test_a_missing_output_topic_holds_the_source_until_it_is_made(kafka, driftd, unique):
    kafka.create_topic(unique, partitions=PARTITIONS)
    kafka.create_topic(f"{unique}.valid", partitions=PARTITIONS)
    expected = produce(kafka, unique, list(records(0, 500)))
    service = driftd(config(kafka, unique))
    service.wait(lambda: "gate" in service.get("/-/ready").text, lambda: f"says why: {service.get('/-/ready')}", 60)
    assert not read_all(kafka, f"{unique}.valid")
    kafka.create_topic(f"{unique}.invalid", partitions=PARTITIONS)
    wait_forwarded(service, 500, timeout=90)
    check_all(kafka, unique, expected)


def test_an_output_topic_that_goes_away_holds_the_source_and_gets_the_rest_when_it_is_back(kafka, driftd, unique):
    topics(kafka, unique)
    before = produce(kafka, unique, list(records(0, 300)))
    service = driftd(config(kafka, unique, buffer="64KiB")).wait_ready()
    wait_forwarded(service, 300)
    kafka.delete_topic(f"{unique}.valid")
    expected = produce(kafka, unique, list(records(300, 60_000)))
    service.wait(lambda: service.metrics().get("driftd_gate_up", stream="plant") == 0, "the gate is down", 60)
    service.wait(lambda: "gate" in service.get("/-/ready").text, lambda: f"says why: {service.get('/-/ready')}", 30)
    service.wait_metric("driftd_gate_waiting_bytes", 65536)
    accepted = lambda: service.metrics().get("driftd_records_total", stream="plant", result="accepted")

    def still():
        before = accepted()
        time.sleep(1)
        return accepted() == before
    service.wait(still, "nothing more is taken")
    taken = accepted()
    time.sleep(2)
    metrics = service.metrics()
    assert metrics.get("driftd_records_total", stream="plant", result="accepted") == taken < 55_000, "the source is paused"
    assert metrics.get("driftd_checkpoint_failures_total") > 0, "nothing says that these records are done"
    kafka.create_topic(f"{unique}.valid", partitions=PARTITIONS)
    wait_committed(kafka, service, unique)
    service.wait_ready(30)
    # What had gone to the topic that was deleted is gone with it.
    check_all(kafka, unique, expected | {at: each for at, each in before.items() if each[1] != "valid"})
    service.wait_metric("driftd_records_total", 60_300 * 0.9, stream="plant", result="accepted")


def test_a_record_that_the_output_refuses_leaves_a_stub_and_holds_up_nothing(kafka, driftd, unique):
    kafka.create_topic(unique, partitions=PARTITIONS, config={"max.message.bytes": "2000000"})
    kafka.create_topic(f"{unique}.valid", partitions=PARTITIONS, config={"max.message.bytes": "300000"})
    kafka.create_topic(f"{unique}.invalid", partitions=PARTITIONS)
    made = list(records(0, 300))
    (key, value, timestamp, had), _ = made[140]
    row = {**json.loads(value), "note": "x" * 400_000}
    made[140] = ((key, json.dumps(row).encode(), timestamp, had), "valid")
    expected = produce(kafka, unique, made)
    service = driftd(config(kafka, unique)).wait_ready()
    wait_forwarded(service, 300)
    stubs = [m for m in read_all(kafka, f"{unique}.invalid") if "driftd-refused" in headers(m)]
    assert len(stubs) == 1 and stubs[0].value() is None and stubs[0].key() == key
    large = headers(stubs[0])
    assert large["driftd-refused"] == "MSG_SIZE_TOO_LARGE" and large["driftd-verdict"] == "valid"
    assert expected[large["driftd-position"]][0][1] == made[140][0][1]
    whole = {headers(m)["driftd-position"] for kind in forwarded(kafka, unique).values() for m in kind}
    assert whole == expected.keys()
    assert service.metrics().get("driftd_gate_records_total", stream="plant", result="stub") == 1


def test_only_what_fails_is_forwarded_without_a_valid_topic(kafka, driftd, unique):
    topics(kafka, unique)
    expected = produce(kafka, unique, list(records(0, 1000)))
    settings = config(kafka, unique)
    del settings["streams"]["plant"]["gate"]["valid"]
    service = driftd(settings).wait_ready()
    wait_forwarded(service, 1000)
    assert not read_all(kafka, f"{unique}.valid")
    bad = {position for position, (_, verdict) in expected.items() if verdict != "valid"}
    assert {headers(m)["driftd-position"] for m in read_all(kafka, f"{unique}.invalid")} == bad
    wait_committed(kafka, service, unique)


def test_two_members_hand_partitions_over_exactly_once(kafka, driftd, unique):
    topics(kafka, unique)
    settings = config(kafka, unique)
    del settings["streams"]["plant"]["from"]["kafka"]["instance_id"]
    service = driftd(settings).wait_ready()
    expected, made = {}, 0
    others = []
    for turn in range(6):
        expected.update(produce(kafka, unique, list(records(made, 4000))))
        made += 4000
        if turn % 2 == 0:
            others.append(Driftd(settings).start())
            time.sleep(1)
        else:
            other = others.pop()
            if turn == 3:
                other.kill9()
            else:
                assert other.terminate() == 0, other.log_tail()
            other.close()
    wait_committed(kafka, service, unique)
    check_all(kafka, unique, expected)


def test_a_member_that_was_halted_and_replaced_commits_nothing_for_what_it_lost(kafka, driftd, unique):
    """A zombie: SIGSTOP for longer than the session, while another one forwards its partitions."""
    topics(kafka, unique)
    settings = config(kafka, unique, commit_every="300ms")
    del settings["streams"]["plant"]["from"]["kafka"]["instance_id"]
    service = driftd(settings).wait_ready()
    expected, made = {}, 0
    with Driftd(settings) as other:
        for _ in range(2):
            for _ in range(4):  # so that the one is halted with a transaction open
                expected.update(produce(kafka, unique, list(records(made, 1500))))
                made += 1500
            service.child.send_signal(signal.SIGSTOP)
            try:
                expected.update(produce(kafka, unique, list(records(made, 3000))))
                made += 3000
                wait_committed(kafka, other, unique)
            finally:
                service.child.send_signal(signal.SIGCONT)
        wait_committed(kafka, service, unique)
        service.wait_ready(60)
        check_all(kafka, unique, expected)


def test_two_that_share_a_transactional_id_say_so_and_lose_nothing(kafka, driftd, unique):
    topics(kafka, unique)
    settings = config(kafka, unique, transactional_id=unique)
    del settings["streams"]["plant"]["from"]["kafka"]["instance_id"]
    service = driftd(settings).wait_ready()
    expected, made = {}, 0
    with Driftd(settings) as other:
        other.wait_ready()
        for _ in range(10):
            expected.update(produce(kafka, unique, list(records(made, 500))))
            made += 500
            time.sleep(0.3)
        wait_committed(kafka, service, unique)
        check_all(kafka, unique, expected)
        assert "give each replica its own" in service.log_tail(1000) + other.log_tail(1000)


@pytest.mark.parametrize("change,says", [
    ({"valid": "a", "invalid": "in"}, "'in' is a topic that the stream reads"),
    ({"valid": "a"}, "'invalid'"),
    ({"invalid": "a", "checks": ["in_rang"]}, "did you mean 'in_range'?"),
    ({"invalid": "a", "severity": "loud"}, "severity"),
    ({"valid": "a", "invalid": "b"}, None),
    ({"invalid": "b", "checks": ["odd"], "severity": "info", "commit_every": "1s"}, None)])
def test_check_says_what_is_wrong_with_a_gate(tmp_path, change, says):
    source = {"kafka": {"brokers": ["localhost:9092"], "topics": ["in"]}}
    path = tmp_path / "driftd.yaml"
    path.write_text(json.dumps(plant.config(CHECKS, source=source, stream_gate=change)))
    done = run_driftd("check", path)
    assert (done.returncode == 0) == (says is None), done.stdout + done.stderr
    assert says is None or says in done.stdout + done.stderr


def test_a_gate_needs_kafka_and_a_replay_has_none(tmp_path):
    gate = {"valid": "a", "invalid": "b"}
    path = tmp_path / "driftd.yaml"
    path.write_text(json.dumps(plant.config(CHECKS, stream_gate=gate)))
    done = run_driftd("check", path)
    assert done.returncode != 0 and "`from: kafka` only" in done.stdout + done.stderr
    # Nobody listens at this address, and nobody needs to.
    source = {"kafka": {"brokers": ["127.0.0.1:1"], "topics": ["in"]}}
    path.write_text(json.dumps(plant.config(CHECKS, source=source, stream_gate=gate)))
    rows = tmp_path / "rows.jsonl"
    rows.write_text(plant.lines(plant.records(0, 2, temperature=150)))
    done = run_driftd("replay", path, "--input", rows, "--findings", "-", timeout=30)
    assert done.returncode == 0 and "out_of_range" in done.stdout, done.stderr
