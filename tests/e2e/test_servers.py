"""Each server class by itself: what the other tests stand on."""
import http.server
import threading
import time

import pymysql
import pytest

import servers
from servers.http import post
from servers.prometheus import promtool


def test_kafka_stores_what_is_sent(kafka, unique):
    kafka.create_topic(unique, partitions=2)
    records = [(f"k{i % 7}".encode(), b"%d" % i, 1700000000000 + i, [("h", b"v")]) for i in range(1000)]
    assert kafka.produce(unique, records, partition=1) == 1000
    messages = kafka.consume(unique)
    assert [m.value() for m in messages] == [b"%d" % i for i in range(1000)], "order within the partition"
    assert {m.partition() for m in messages} == {1}
    assert messages[5].key() == b"k5" and messages[5].headers() == [("h", b"v")]
    assert messages[5].timestamp()[1] == 1700000000005
    assert kafka.watermarks(unique) == {0: (0, 0), 1: (0, 1000)}
    assert kafka.committed(unique, "nobody") == {0: None, 1: None}


def test_kafka_takes_100k_records_quickly(kafka, unique):
    kafka.create_topic(unique)
    value = b'{"mote":"1","ts":1077926356027,"temperature":19.9884,"humidity":37.0933}'
    took = []
    while len(took) < 3 and (not took or min(took) >= 10):  # the best of three: others may use the machine
        begin = time.monotonic()
        kafka.produce(unique, ((b"1", value, None, None) for _ in range(100_000)))
        took.append(time.monotonic() - begin)
    assert min(took) < 10, f"100,000 records took {min(took):.1f} s"


def test_kafka_deletes_records(kafka, unique):
    kafka.create_topic(unique)
    kafka.produce(unique, ((None, b"%d" % i, None, None) for i in range(10)))
    kafka.delete_records(unique, 0, 4)
    assert kafka.watermarks(unique) == {0: (4, 10)}
    kafka.configure_topic(unique, retention_ms=1000)


def test_kafka_keeps_data_over_stop_and_kill(unique):
    with servers.Kafka() as kafka:
        kafka.create_topic(unique)
        kafka.produce(unique, [(None, b"before the stop", None, None)])
        kafka.stop()
        assert not kafka.running()
        kafka.start()
        kafka.produce(unique, [(None, b"before the kill", None, None)])
        kafka.kill()
        kafka.start()
        assert [m.value() for m in kafka.consume(unique)] == [b"before the stop", b"before the kill"]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_mosquitto_queues_for_a_session_over_a_restart(unique, end):
    with servers.Mosquitto(persistence=True) as broker:
        def subscriber():
            client = broker.client("durable", clean_session=False)
            got = []
            client.on_message = lambda _c, _d, message: got.append(message.payload)
            client.on_connect = lambda c, *_: c.subscribe(unique, qos=1)
            client.connect("127.0.0.1", broker.port)
            return client, got

        client, _ = subscriber()
        servers.wait_for(lambda: client.loop(0.05) == 0 and client.is_connected(), "subscriber connected")
        for _ in range(5):
            client.loop(0.05)
        client.disconnect()
        broker.publish([(unique, b"%d" % i) for i in range(3000)])
        if end == "kill":
            broker.save()
        getattr(broker, end)()
        broker.start()
        client, got = subscriber()
        servers.wait_for(lambda: client.loop(0.1) == 0 and len(got) >= 3000, lambda: f"3000 messages, got {len(got)}",
                         every=0)
        assert got == [b"%d" % i for i in range(3000)]


def test_mosquitto_with_tls_and_password(unique):
    with servers.Mosquitto(tls=True, user="driftd", password="pw") as broker:
        assert broker.publish([(unique, b"x")]) == 1
        refused = []
        client = broker.client()
        client.username_pw_set("driftd", "wrong")
        client.on_connect = lambda _c, _d, _f, code: refused.append(code)
        client.connect("127.0.0.1", broker.port)
        servers.wait_for(lambda: client.loop(0.05) is not None and refused, "an answer to the wrong password")
        assert refused[0] != 0


def test_mariadb_loads_and_selects(mariadb, unique):
    table = unique.replace("-", "_")
    mariadb.execute(f"CREATE TABLE {table} (id INT PRIMARY KEY, sensor VARCHAR(20), value DOUBLE)")
    assert mariadb.load(table, ["id", "sensor", "value"], ((i, f"s{i % 3}", i / 8) for i in range(100_000))) == 100_000
    assert mariadb.execute(f"SELECT COUNT(*), SUM(value) FROM {table}") == ((100_000, sum(i / 8 for i in range(100_000))),)
    with pytest.raises(pymysql.err.OperationalError):
        pymysql.connect(host="127.0.0.1", port=mariadb.port, user=mariadb.user, password="wrong")


def test_mariadb_keeps_data_over_a_kill():
    with servers.MariaDB() as database:
        database.execute("CREATE TABLE t (id INT)")
        database.load("t", ["id"], [(7,)])
        database.kill()
        database.start()
        assert database.execute("SELECT id FROM t") == ((7,),)


@pytest.fixture
def exporter():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(b'lamp{room="hall"} 3\n')

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def test_prometheus_scrapes_and_fires(prometheus, exporter, tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text("groups: [{name: g, rules: [{alert: Bright, expr: 'lamp > 2', labels: {severity: info}}]}]\n")
    status, output = promtool("check", "rules", rules)
    assert status == 0, output
    server = prometheus([exporter], rule_files=[rules])
    [(labels, value)] = server.wait_query("lamp")
    assert (labels["room"], value) == ("hall", 3)
    with pytest.raises(servers.ServerError):
        server.query("lamp{")
    servers.wait_for(lambda: [s for l, s, _ in server.alerts() if l["alertname"] == "Bright" and s == "firing"],
                     "the alert Bright")


def test_alertmanager_shows_and_resolves(alertmanager, webhook):
    alert = {"labels": {"alertname": "Drift", "stream": "pumps"}, "annotations": {"summary": "s"}}
    answer = post(f"{alertmanager.url}/api/v2/alerts", [alert])
    assert answer.status == 200, answer
    servers.wait_for(lambda: [a["labels"]["alertname"] for a in alertmanager.alerts()] == ["Drift"], "the alert")
    post(f"{alertmanager.url}/api/v2/alerts", [{**alert, "endsAt": "2020-01-01T00:00:00Z", "startsAt": "2019-12-31T00:00:00Z"}])
    servers.wait_for(lambda: alertmanager.alerts() == [], "no alert any more")
    servers.wait_for(lambda: "resolved" in [m["status"] for m in webhook.json()], "the notification that it is resolved")


def test_webhook_receiver_answers_as_told(webhook):
    webhook.answer((503, {"Retry-After": "1"}), (410, {}))
    answers = [post(f"{webhook.url}/hook", {"n": n}) for n in range(3)]
    assert [a.status for a in answers] == [503, 410, 200]
    assert answers[0].headers["Retry-After"] == "1"
    assert webhook.json() == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert webhook.received()[0].path == "/hook"


def test_a_server_that_does_not_start_says_why():
    class Broken(servers.Process):
        name = "broken"

        def argv(self):
            return ["sh", "-c", "echo no such luck; exit 3"]

        def ready(self):
            return False

    with pytest.raises(AssertionError, match="(?s)ended with 3 .*no such luck"):
        Broken().start()


def test_a_server_is_ended_with_its_children():
    class Family(servers.Process):
        name = "family"
        stop_timeout = 0.3

        def argv(self):
            return ["sh", "-c", "trap '' TERM; sleep 600 & echo $! > child; wait; sleep 600"]

        def ready(self):
            return (self.dir / "child").read_text().strip()

    with Family() as family:
        child = int(family.ready())

    def ended():  # a busy kernel takes a moment
        with open(f"/proc/{child}/stat") if _exists(child) else open("/dev/null") as stat:
            return stat.read().split(" ")[2:3] in ([], ["Z"])
    servers.wait_for(ended, "the end of the server's child", 5)


def _exists(pid):
    try:
        open(f"/proc/{pid}/stat").close()
        return True
    except FileNotFoundError:
        return False
