"""TLS and passwords towards real servers: Kafka (also of a gate and of rejects), Mosquitto, MariaDB (rows and checkpoints), Alertmanager
and a webhook's receiver, each with the right authority, with a wrong one, with the wrong password, and under a name that is not in its
certificate.
And certificates of driftd's own towards Kafka and Mosquitto: the right one, none, and one of another authority."""
import re
import types

import pytest

import plant
import servers
from conftest import SECURE_USER
from driftd import Driftd, run_driftd
from kafka_readers import read_all
from servers import certificates


@pytest.fixture(scope="module")
def wrong_ca(tmp_path_factory):
    return certificates.make(tmp_path_factory.mktemp("wrong")).ca


@pytest.fixture
def secret(tmp_path):
    """secret(text) gives the path of a file that holds it."""
    def write(text):
        path = tmp_path / f"secret-{abs(hash(text))}"
        path.write_text(text + "\n")
        return str(path)
    return write


def stays_down(service, seconds=3):
    """The stream's source never comes up."""
    with pytest.raises(servers.ServerError):
        service.wait(lambda: service.metrics().get("driftd_source_up") == 1, "up", timeout=seconds)
    assert service.get("/-/healthy").status == 200
    assert service.metrics().get("driftd_records_total", result="accepted") == 0


@pytest.fixture
def strangers(tmp_path):
    """A client's certificate of an authority that no server knows."""
    return certificates.make(tmp_path / "strangers")


def kafka_source(server, topic, **files):
    """With the files at its ssl.*.location."""
    options = {f"ssl.{name}.location": str(path) for name, path in files.items()}
    return {"kafka": {"brokers": [server.mutual_bootstrap], "topics": [topic], "group": topic,
                      "options": {"security.protocol": "SSL", "ssl.ca.location": str(server.ca), "debug": "security,broker", **options}}}


def mqtt_source(server, topic, **files):
    """With the files as its *_file."""
    tls = {f"{name}_file": str(path) for name, path in files.items()}
    return {"mqtt": {"url": server.url, "topics": [topic], "client_id": topic, "tls": {"ca_file": str(server.ca), **tls}}}


def judging(source):
    return plant.config([{"check": "count", "min": plant.PER_WINDOW, "max": plant.PER_WINDOW}], source=source,
                        service={"findings": {"all": True}, "log_level": "debug"})


def judges(service):
    """The two windows that were sent come, the first one whole."""
    service.wait_ready()
    service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, result="accepted")
    found = service.wait_findings(len, "a judged window", check="count")
    assert [(f["value"], f["verdict"]) for f in found] == [(plant.PER_WINDOW, "ok")], found


def reason(service):
    """Why it is not ready."""
    answer = service.get("/-/ready")
    return "" if answer.status == 200 else answer.json()["detail"]


def shows_no_key(made, *texts):
    secret = [line for line in made.key.read_text().splitlines() if not line.startswith("-----")]
    assert secret and not any(line in text for line in [*secret, "PRIVATE KEY"] for text in texts), texts


def test_kafka(driftd, secure_kafka, unique, secret, wrong_ca, names):
    secure_kafka.create_topic(unique)
    secure_kafka.produce(unique, plant.kafka_records(plant.records(0, 2)))

    def start(ca, password, host="localhost"):
        options = {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": SECURE_USER[0],
                   "ssl.ca.location": str(ca)}
        return driftd(plant.config([], source={"kafka": {
            "brokers": [secure_kafka.secure_bootstrap.replace("localhost", host)], "topics": [unique], "group": unique,
            "options": options, "sasl_password_file": secret(password)}}), env=names.environment())

    service = start(secure_kafka.ca, SECURE_USER[1]).wait_ready()
    service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, result="accepted")
    service.stop()
    for ca, password in [(wrong_ca, SECURE_USER[1]), (secure_kafka.ca, "wrong-password")]:
        service = start(ca, password)
        stays_down(service, seconds=5)
        assert "wrong-password" not in service.log()
        service.stop()
    names.know("kafka.test")
    stays_down(start(secure_kafka.ca, SECURE_USER[1], "kafka.test"), seconds=5)
    assert names.asked("kafka.test") > 0


def test_a_gate_and_rejects(driftd, secure_kafka, unique, secret, wrong_ca):
    """The gate goes where its source goes; the topic of rejects has a connection of its own."""
    for topic in [unique, f"{unique}.valid", f"{unique}.invalid", f"{unique}.rejects"]:
        secure_kafka.create_topic(topic)

    def start(name, ca, password):
        options = {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": SECURE_USER[0]}
        there = {"brokers": [secure_kafka.secure_bootstrap], "sasl_password_file": secret(SECURE_USER[1])}
        source = {"kafka": {**there, "options": {**options, "ssl.ca.location": str(secure_kafka.ca)}, "topics": [unique], "group": name}}
        return driftd(plant.config(
            [{"check": "in_range", "field": "temperature", "min": 0, "max": 50}], source=source,
            stream_gate={"valid": f"{unique}.valid", "invalid": f"{unique}.invalid"},
            stream_quarantine={"topic": f"{unique}.rejects", **there, "sasl_password_file": secret(password),
                               "options": {**options, "ssl.ca.location": str(ca), "message.timeout.ms": "3000"}})).wait_ready()

    service = start("all", secure_kafka.ca, SECURE_USER[1])
    secure_kafka.produce(unique, plant.kafka_records([*plant.records(0, 1), *plant.records(1, 1, temperature=90)]))
    secure_kafka.produce(unique, [(b"p1", b"{", plant.START, None)])
    service.wait_metric("driftd_quarantine_topic_records_total", 1, stream="plant", result="sent")
    service.wait_metric("driftd_gate_records_total", 2 * plant.PER_WINDOW + 1, stream="plant")
    assert service.terminate() == 0, service.log_tail()
    counted = {topic: len(read_all(secure_kafka, f"{unique}.{topic}")) for topic in ["valid", "invalid", "rejects"]}
    assert counted == {"valid": plant.PER_WINDOW, "invalid": plant.PER_WINDOW + 1, "rejects": 1}
    for name, ca, password in [("authority", wrong_ca, SECURE_USER[1]), ("password", secure_kafka.ca, "wrong-password")]:
        service = start(name, ca, password)
        service.wait_metric("driftd_quarantine_topic_records_total", 1, stream="plant", result="dropped")
        assert "wrong-password" not in service.log()
        service.stop()
    assert len(read_all(secure_kafka, f"{unique}.rejects")) == 1


def test_mqtt(driftd, unique, secret, wrong_ca, names):
    with servers.Mosquitto(tls=True, user="driftd", password="s3cret-mqtt") as broker:
        def start(ca, password, host="127.0.0.1"):
            return driftd(plant.config([], source={"mqtt": {
                "url": broker.url.replace("127.0.0.1", host), "topics": [f"{unique}/#"], "client_id": unique, "username": "driftd",
                "password_file": secret(password), "tls": {"ca_file": str(ca)}}}), env=names.environment())
        service = start(broker.ca, "s3cret-mqtt").wait_ready()
        service.stop()
        for ca, password in [(wrong_ca, "s3cret-mqtt"), (broker.ca, "wrong-password")]:
            service = start(ca, password)
            stays_down(service)
            assert "wrong-password" not in service.log()
            service.stop()
        names.know("mqtt.test")
        stays_down(start(broker.ca, "s3cret-mqtt", "mqtt.test"))
        assert names.asked("mqtt.test") > 0


def test_kafka_with_a_client_certificate(driftd, secure_kafka, unique, strangers):
    secure_kafka.create_topic(unique)
    secure_kafka.produce(unique, plant.kafka_records(plant.records(0, 2)))
    alert = re.compile(rf"{secure_kafka.mutual_bootstrap}.*certificate.*: SSL alert number")  # the broker's; a verdict of ours is none
    for client in [None, strangers]:
        files = {"certificate": client.certificate, "key": client.key} if client else {}
        service = driftd(judging(kafka_source(secure_kafka, unique, **files)))
        service.wait(lambda: alert.search(reason(service)), lambda: f"the broker's alert in {reason(service)!r}")
        stays_down(service)
        assert alert.search(service.log()), service.log_tail()
        shows_no_key(client or strangers, service.log(), service.get("/-/ready").text, service.get("/api/v1/streams").text)
        service.stop()
    client = secure_kafka.client
    service = driftd(judging(kafka_source(secure_kafka, unique, certificate=client.certificate, key=client.key)))
    judges(service)
    shows_no_key(client, service.log())


@pytest.fixture
def mutual_mqtt(tmp_path):
    with servers.Mosquitto(tls=True, clients=certificates.make(tmp_path / "clients")) as broker:
        yield broker


def test_mqtt_with_a_client_certificate(driftd, mutual_mqtt, unique, strangers):
    for client, refusal in [(None, "peer did not return a certificate"), (strangers, "certificate verify failed")]:
        files = {"cert": client.certificate, "key": client.key} if client else {}
        service = driftd(judging(mqtt_source(mutual_mqtt, unique, **files)))
        servers.wait_for(lambda: refusal in mutual_mqtt.log(), lambda: f"{refusal}\n{mutual_mqtt.log_tail()}")
        stays_down(service)
        where = f"connection to 127.0.0.1:{mutual_mqtt.port}"
        assert where in reason(service) and where in service.log(), reason(service)
        shows_no_key(client or strangers, service.log(), service.get("/-/ready").text, service.get("/api/v1/streams").text)
        service.stop()
    client = mutual_mqtt.clients
    service = driftd(judging(mqtt_source(mutual_mqtt, unique, cert=client.certificate, key=client.key))).wait_ready()
    mutual_mqtt.publish((unique, row) for row in plant.lines(plant.records(0, 2)).splitlines())
    judges(service)
    shows_no_key(client, service.log())


FAULTS = ["no certificate", "no key", "not a key", "key of another", "encrypted key"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("source", ["kafka", "mqtt"])
def test_files_that_are_no_certificate_with_its_key_are_named(tmp_path, strangers, source, fault):
    """By `check`, and by `run` in the same words."""
    made = certificates.make(tmp_path / "clients")
    (tmp_path / "text.key").write_text("TopSecretText\n")
    wrong = {"no certificate": tmp_path / "absent.pem", "no key": tmp_path / "absent.key", "not a key": tmp_path / "text.key",
             "key of another": strangers.key, "encrypted key": certificates.encrypted(made, "s3cret-of-the-key")}[fault]
    certificate, key = (wrong, made.key) if fault == "no certificate" else (made.certificate, wrong)
    server = types.SimpleNamespace(mutual_bootstrap="localhost:1", url="mqtts://127.0.0.1:1", ca=made.ca)
    sources = {"kafka": kafka_source(server, "t", certificate=certificate, key=key),
               "mqtt": mqtt_source(server, "t", cert=certificate, key=key)}
    config = Driftd(judging(sources[source]))
    for command in ["check", "run"]:
        done = run_driftd(command, config.config_path, timeout=20)
        assert done.returncode == 2 and str(wrong) in done.stderr, done
        assert "TopSecretText" not in done.stderr and "pass phrase" not in done.stderr, done
        for one in [made, strangers]:
            shows_no_key(one, done.stdout, done.stderr)


def test_mqtt_names_a_key_that_no_longer_fits(driftd, mutual_mqtt, unique, strangers, tmp_path):
    """Changed under a stream that runs; nobody is asked for its passphrase, so the end does not wait for an answer."""
    client, key = mutual_mqtt.clients, tmp_path / "changing.key"
    key.write_bytes(client.key.read_bytes())
    service = driftd(judging(mqtt_source(mutual_mqtt, unique, cert=client.certificate, key=key))).wait_ready()
    for wrong, said in [(strangers.key, "does not belong"), (certificates.encrypted(client, "s3cret-of-the-key"), "is encrypted")]:
        key.write_bytes(wrong.read_bytes())
        mutual_mqtt.stop()
        mutual_mqtt.start()
        service.wait(lambda: f"key_file: the key in '{key}' {said}" in reason(service), lambda: f"{said} in {reason(service)!r}")
    service.terminate(within=10)


def test_mqtt_says_that_it_may_be_the_certificate(driftd, mutual_mqtt, unique, strangers):
    client = mutual_mqtt.clients
    for files, said in [({}, "may want a client's certificate (tls.cert_file, tls.key_file)"),
                        ({"cert": strangers.certificate, "key": strangers.key}, "may refuse the client's certificate (tls.cert_file)"),
                        ({"ca": strangers.ca, "cert": client.certificate, "key": client.key}, "not trusted (tls.ca_file)")]:
        service = driftd(judging(mqtt_source(mutual_mqtt, unique, **files)))
        service.wait(lambda: said in reason(service), lambda: f"{said} in {reason(service)!r}", timeout=10)
        service.stop()
    service = driftd(judging(mqtt_source(mutual_mqtt, unique, cert=client.certificate, key=client.key))).wait_ready()
    mutual_mqtt.stop()
    service.wait(lambda: "127.0.0.1" in reason(service), lambda: f"not ready, but {reason(service)!r}")
    assert "certificate" not in service.log() + reason(service), "a broker that had answered has taken it"


def test_mysql(mariadb, secret, wrong_ca, names):
    mariadb.execute("CREATE TABLE IF NOT EXISTS tls_rows (sensor VARCHAR(20), ts BIGINT, temperature DOUBLE)")
    mariadb.execute("INSERT INTO tls_rows VALUES ('p1', %s, 20), ('p1', %s, 21)", plant.START, plant.START + 1000)

    def build(password=mariadb.password, host="127.0.0.1", **tls):
        config = Driftd(plant.config([], databases={"plant": {
            "type": "mysql", "host": host, "port": mariadb.port, "database": mariadb.database,
            "user": mariadb.user, "password_file": secret(password), **tls}}))
        done = run_driftd("reference", "build", config.config_path, "--query",
                          "SELECT sensor, ts, temperature FROM tls_rows", "--name", "pumps", env=names.environment())
        assert password not in done.stdout + done.stderr
        return done

    done = build(tls=True, ca_file=str(mariadb.ca))
    assert done.returncode == 0, done.stderr
    for wrong in [{"ca_file": str(wrong_ca)}, {}]:  # the system's authorities do not know it either
        done = build(tls=True, **wrong)
        assert done.returncode != 0 and "cannot connect" in done.stderr, (wrong, done)
    assert "Access denied" in build(password="wrong-password", tls=True, ca_file=str(mariadb.ca)).stderr
    names.know("mysql.test")
    done = build(host="mysql.test", tls=True, ca_file=str(mariadb.ca))
    assert done.returncode != 0 and "cannot connect" in done.stderr and names.asked("mysql.test") > 0, done
    assert "has no effect without tls" in build(ca_file=str(mariadb.ca)).stderr


def test_checkpoints_in_mysql(driftd, mariadb, kafka, unique, secret, wrong_ca, names):
    """Of a user whom the server lets in by TLS only."""
    kafka.create_topic(unique)
    mariadb.execute("DROP TABLE IF EXISTS driftd_unit, driftd_state, driftd_output, driftd_output_chunk, driftd_format")
    mariadb.administer(f"CREATE OR REPLACE USER 'sealed'@'127.0.0.1' IDENTIFIED BY '{mariadb.password}' REQUIRE SSL",
                       f"GRANT ALL ON {mariadb.database}.* TO 'sealed'@'127.0.0.1'")
    names.know("mysql.test")

    def settings(password=mariadb.password, host="127.0.0.1", **tls):
        return plant.config(
            [], service={"store": "state"}, source={"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique}},
            databases={"state": {"type": "mysql", "host": host, "port": mariadb.port, "database": mariadb.database, "user": "sealed",
                                 "password_file": secret(password), **tls}})
    sealed = {"tls": True, "ca_file": str(mariadb.ca)}
    for wrong in [settings(), settings(tls=True, ca_file=str(wrong_ca)), settings(tls=True), settings(password="wrong-password", **sealed),
                  settings(host="mysql.test", **sealed)]:
        done = run_driftd("run", Driftd(wrong).config_path, env=names.environment(), timeout=30)
        assert done.returncode == 3 and "cannot connect" in done.stderr and "wrong-password" not in done.stderr, (wrong, done)
    assert names.asked("mysql.test") > 0
    service = driftd(settings(**sealed)).wait_ready()
    kafka.produce(unique, plant.kafka_records(plant.records(0, 2)))
    service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, stream="plant", result="accepted")
    assert service.terminate() == 0, service.log_tail()
    assert mariadb.execute("SELECT COUNT(*) FROM driftd_unit") != ((0,),)


def test_alertmanager(driftd, tmp_path, wrong_ca, names):
    made = certificates.make(tmp_path / "alertmanager")
    with servers.Alertmanager(certificates=made) as manager:
        url = manager.url
        told = {"good": (url, str(made.ca)), "wrong": (url, str(wrong_ca)), "system": (url, None),
                "name": (url.replace("127.0.0.1", "alerts.test"), str(made.ca))}
        notifiers = {name: {"type": "alertmanager", "urls": [where], **({"ca_file": ca} if ca else {})} for name, (where, ca) in told.items()}
        names.know("alerts.test")
        config = plant.config([{"check": "in_range", "field": "temperature", "min": 0, "max": 50}],
                              alerts={"for": 1, "notifiers": notifiers})
        service = driftd(config, env=names.environment()).wait_ready()
        plant.post(service, plant.records(0, 2, temperature=90))
        service.wait_metric("driftd_notifications_total", 1, notifier="good", result="delivered")
        assert len(manager.alerts()) == 1
        for refused in ["wrong", "system", "name"]:
            service.wait_metric("driftd_notifications_total", 1, notifier=refused, result="retry")
            assert service.metrics().get("driftd_notifications_total", notifier=refused, result="delivered") == 0
        assert names.asked("alerts.test") > 0


def test_webhook(driftd, tmp_path, wrong_ca, names):
    made = certificates.make(tmp_path / "receiver")
    with servers.WebhookReceiver(certificates=made) as receiver:
        hook = {"type": "webhook", "url": receiver.url}
        config = plant.config(
            [{"check": "in_range", "field": "temperature", "min": 0, "max": 50}],
            alerts={"for": 1, "notifiers": {"good": {**hook, "ca_file": str(made.ca)},
                                            "wrong": {**hook, "ca_file": str(wrong_ca)}, "system": hook,
                                            "name": {**hook, "url": receiver.url.replace("127.0.0.1", "hook.test"),
                                                     "ca_file": str(made.ca)}}})
        names.know("hook.test")
        service = driftd(config, env=names.environment()).wait_ready()
        plant.post(service, plant.records(0, 2, temperature=90))
        service.wait_metric("driftd_notifications_total", 1, notifier="good", result="delivered")
        for refused in ["wrong", "system", "name"]:
            service.wait_metric("driftd_notifications_total", 1, notifier=refused, result="retry")
            assert service.metrics().get("driftd_notifications_total", notifier=refused, result="delivered") == 0
        assert len(receiver.received()) == 1 and names.asked("hook.test") > 0


def test_a_ca_file_stands_instead_of_the_systems_authorities(driftd, tmp_path):
    """libcurl looks in the system's folder beside it. The receiver's authority is in there now."""
    made, other = certificates.make(tmp_path / "receiver"), certificates.make(tmp_path / "other", "another authority")
    with servers.WebhookReceiver(certificates=made) as receiver:
        hook = {"type": "webhook", "url": receiver.url}
        config = plant.config(
            [{"check": "in_range", "field": "temperature", "min": 0, "max": 50}],
            alerts={"for": 1, "notifiers": {"own": {**hook, "ca_file": str(other.ca)}, "system": hook}})
        service = driftd(config, env=certificates.as_of_the_system(made, tmp_path / "system")).wait_ready()
        plant.post(service, plant.records(0, 2, temperature=90))
        service.wait_metric("driftd_notifications_total", 1, notifier="system", result="delivered")
        service.wait_metric("driftd_notifications_total", 1, notifier="own", result="retry")
        assert len(receiver.received()) == 1


def test_a_redirect_to_the_metadata_service_is_not_followed(driftd, webhook):
    webhook.default = (307, {"Location": "http://169.254.169.254/latest/meta-data/"})
    config = plant.config(
        [{"check": "in_range", "field": "temperature", "min": 0, "max": 50}],
        alerts={"for": 1, "notifiers": {
            "redirected": {"type": "webhook", "url": webhook.url},
            "metadata": {"type": "webhook", "url": "http://169.254.169.254/latest/meta-data/"}}})
    service = driftd(config).wait_ready()
    plant.post(service, plant.records(0, 2, temperature=90))
    service.wait_metric("driftd_notifications_total", 1, notifier="redirected", result="rejected")
    service.wait_metric("driftd_notifications_total", 1, notifier="metadata", result="retry")
    listed = run_driftd("outbox", "list", service.config_path).stdout
    assert "redirects are not followed" in listed and "169.254.169.254 is not allowed" in listed, listed
    service.stop()
    config["alerts"]["allowed_targets"] = [f"127.0.0.1:{webhook.port}"]
    service.write_config(config)
    done = run_driftd("check", service.config_path)
    assert done.returncode == 2 and "169.254.169.254 with port 80 is not in alerts.allowed_targets" in done.stderr
