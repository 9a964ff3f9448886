"""Every secret that a configuration can name, servers that refuse them all, and a search for their text
in everything that driftd writes and answers."""
import base64
import crypt
import pathlib

import pytest

import plant
import servers
from driftd import run_driftd
from servers import certificates, wait_for

SECRETS = {name: f"TopSecret{name.title()}0123456789" for name in ["kafka", "mqtt", "mysql", "webhook", "web"]}
SIGNING = b"signing-secret-0123456789abcdef!"
HASH = crypt.crypt(SECRETS["web"], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << 5))
ENDPOINTS = ["/", "/metrics", "/-/healthy", "/-/ready", "/api/v1/status", "/api/v1/streams", "/api/v1/findings",
             "/api/v1/alerts", "/api/v1/references", "/api/v1/checks", "/api/v1/units", "/api/v1/config", "/nothing"]


def forms():
    """Each secret as it is and as it could leak coded."""
    for secret in [*SECRETS.values(), HASH, HASH[7:], SIGNING.decode(), "PRIVATE KEY"]:
        yield secret
        yield base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]
    yield base64.b64encode(f"prometheus:{SECRETS['web']}".encode()).decode()


@pytest.fixture
def files(tmp_path):
    """Half of them files, half systemd credentials."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    out = {}
    for name, text in {**SECRETS, "webhook": "whsec_" + base64.b64encode(SIGNING).decode()}.items():
        folder = credentials if name in ["kafka", "webhook"] else tmp_path
        (folder / name).write_text(text + "\n")
        out[name] = f"credential:{name}" if folder == credentials else str(tmp_path / name)
    out["CREDENTIALS_DIRECTORY"] = str(credentials)
    return out


def test_no_secret_is_shown_anywhere(driftd, secure_kafka, mariadb, unique, files, tmp_path):
    secure_kafka.create_topic(unique)
    made = certificates.make(tmp_path / "server")
    web = tmp_path / "web.yml"
    web.write_text(f"tls_server_config: {{cert_file: {made.certificate}, key_file: {made.key}}}\n"
                   f"basic_auth_users:\n  prometheus: {HASH}\n")
    env = {"CREDENTIALS_DIRECTORY": files["CREDENTIALS_DIRECTORY"]}
    with servers.Mosquitto(tls=True, user="driftd", password="another") as broker, \
            servers.WebhookReceiver(default=(500, {})) as receiver:
        config = plant.config(
            [{"check": "in_range", "field": "temperature", "min": 0, "max": 50}],
            service={"web_config": str(web), "log_level": "debug"},
            databases={"plant": {"host": "127.0.0.1", "port": mariadb.port, "database": mariadb.database,
                                 "user": mariadb.user, "password_file": files["mysql"]}},
            alerts={"for": 1, "notifiers": {"hook": {"type": "webhook", "url": receiver.url,
                                                     "secret_file": [files["webhook"]]}}})
        for name, source in {
                "kafka": {"brokers": [secure_kafka.secure_bootstrap], "topics": [unique], "group": unique,
                          "sasl_password_file": files["kafka"],
                          "options": {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN",
                                      "sasl.username": "driftd", "ssl.ca.location": str(secure_kafka.ca),
                                      "debug": "security,broker"}},
                "mqtt": {"url": broker.url, "topics": ["a"], "client_id": unique, "username": "driftd",
                         "password_file": files["mqtt"], "tls": {"ca_file": str(broker.ca)}}}.items():
            config["streams"][name] = {**config["streams"]["plant"], "from": {name: source}}
        service = driftd(config, env=env, client={"context": certificates.trusting(made),
                                                  "user": ("prometheus", SECRETS["web"])})
        plant.post(service, plant.records(0, 2, temperature=90))
        service.wait_metric("driftd_notifications_total", 1, notifier="hook", result="retry")
        assert service.get("/", user=("prometheus", "wrong")).status == 401
        wait_for(lambda: "uthentication" in service.log(), "Kafka's refusal in the log", 15)

        shown = {"log": service.log()}
        for path in ENDPOINTS:
            answer = service.get(path)
            shown[path] = answer.text + str(answer.headers)
        for arguments in [["check"], ["outbox", "list"], ["reference", "list"], ["store", "inspect"],
                          ["rules", "prometheus"]]:
            done = run_driftd(*arguments, service.config_path, env=env)
            shown[" ".join(arguments)] = done.stdout + done.stderr
        done = run_driftd("reference", "build", service.config_path, "--stream", "plant", "--name", "x", "--query",
                          "SELECT 1", env=env)
        assert "Access denied" in done.stderr, done
        shown["reference build"] = done.stdout + done.stderr
        # Credentials that systemd did not give, and a web configuration with a password for a hash.
        shown["no credentials"] = run_driftd("run", service.config_path).stderr
        web.write_text(f"basic_auth_users: {{prometheus: {SECRETS['web']}}}\n")
        done = run_driftd("check", service.config_path, env=env)
        assert done.returncode == 2 and "no bcrypt hash" in done.stderr, done
        shown["check of a bad web configuration"] = done.stderr
        service.wait_metric("driftd_config_last_reload_successful", 1)
        service.terminate(within=20)
        shown["log at the end"] = service.log()
        for path in pathlib.Path(service.data_dir).rglob("*"):
            if path.is_file():
                shown[str(path)] = path.read_bytes().decode("latin-1")
        assert len(shown["log"]) > 1000 and "s3cret" not in shown["log"]
        for place, text in shown.items():
            for secret in forms():
                assert secret not in text, f"{place} shows {secret}"
