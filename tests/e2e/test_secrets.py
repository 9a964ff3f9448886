"""Every secret that a configuration can name, servers that refuse them all, and a search for their text
in everything that driftd writes and answers."""
import base64
import copy
import crypt
import os
import pathlib
import re
import shutil

import pytest

import plant
import servers
from driftd import Driftd, run_driftd
from servers import certificates, wait_for

SECRETS = {name: f"TopSecret{name.title()}0123456789" for name in ["kafka", "mqtt", "mysql", "web"]}
GUESS, STORE = "TopSecretGuess0123456789", "TopSecretStore0123456789"
SIGNING = b"signing-secret-0123456789abcdef!"
TRAINING = b"training-secret-0123456789abcdef"
TOKENS = {name: f"TopSecret{name.title()}Token" for name in ["hook", "train", "alertmanager", "external"]}  # in URLs
HASH = crypt.crypt(SECRETS["web"], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << 5))
ENDPOINTS = ["/", "/metrics", "/-/healthy", "/-/ready", "/healthz", "/readyz", "/api/v1/streams", "/api/v1/findings",
             "/api/v1/alerts", "/api/v1/references", "/api/v1/units", "/nothing"]


class Unprivileged(Driftd):
    """By a user who is not root, as /proc tells nothing about memory that is root's anyway."""

    def argv(self):
        if os.geteuid() != 0:
            return super().argv()
        binary = self.dir / "driftd"
        shutil.copy(super().argv()[0], binary)
        self.dir.chmod(0o777)
        return ["setpriv", "--pdeathsig", "KILL", "--reuid=65534", "--regid=65534", "--clear-groups", binary, *super().argv()[1:]]


def test_nobody_else_can_look_into_its_memory():
    """A core that goes through a pipe (core_pattern) knows no limit; the system writes none of what it does not show its user."""
    with Unprivileged(plant.config([])).start() as service:
        about = pathlib.Path(f"/proc/{service.child.pid}")
        assert f"Uid:\t{os.geteuid() or 65534}" in (about / "status").read_text()
        assert (about / "environ").stat().st_uid == 0


def forms(secret):
    """As it is and as it could leak coded."""
    return [secret, base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]]


def lines_of(key):
    return key.read_text().splitlines()[1:-1]


def all_secrets(key):
    return [*SECRETS.values(), GUESS, *TOKENS.values(), HASH, HASH[7:], SIGNING.decode(), TRAINING.decode(), "PRIVATE KEY", *lines_of(key)]


def logins():
    """As HTTP sends them."""
    return [base64.b64encode(f"prometheus:{password}".encode()).decode() for password in [SECRETS["web"], GUESS]]


def told(*configurations, folder):
    """Their text, and that of the files in the folder that they name."""
    text = "".join(path.read_text() for path in configurations)
    named = [path for path in folder.rglob("*") if path.is_file() and (str(path) in text or f"credential:{path.name}" in text)]
    return text + "".join(path.read_text() for path in named)


def whole(answer):
    return answer.text + str(answer.headers)


def answers_to_posts(service):
    """To requests that change something, those that are refused too."""
    records, promote = "/api/v1/streams/plant/records", "/api/v1/references/absent/promote"
    row = next(plant.records(6, 1))
    for status, path, options in [
            (200, "/-/reload", {}), (401, "/-/reload", {"user": ("prometheus", GUESS)}),
            (403, "/-/reload", {"headers": {"Origin": "http://driftd.test"}}),
            (200, records, {"body": row}), (400, records, {"body": "{", "headers": {"Content-Type": "application/json"}}),
            (415, records, {"body": "{}", "headers": {"Content-Type": "text/html"}}),
            *((404, records.replace("plant", stream), {"body": row}) for stream in ["absent", "kafka"]),
            (404, promote, {"body": {"version": "1"}}), (400, promote, {"body": "{"}), (405, "/metrics", {}), (404, "/nothing", {})]:
        answer = service.post(path, **options)
        assert answer.status == status, (path, options, answer)
        yield f"POST {path} {options}", whole(answer)


def misplaced(config, key, folder):
    """(what is said of it, configuration) with secrets where none may stand."""
    no_secret = folder / "no-secret"
    no_secret.write_text(f"whsec_{SECRETS['kafka']}\n")  # of too few bytes

    def changed(said, *path, value):
        new = copy.deepcopy(config)
        at = new
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value
        return said, new

    kafka, mqtt = ("streams", "kafka", "from", "kafka"), ("streams", "mqtt", "from", "mqtt")
    yield changed("is a secret", *kafka, "options", "sasl.password", value=SECRETS["kafka"])
    yield changed("is a secret", *kafka, "options", "ssl.key.pem", value=key.read_text())
    yield changed("unknown key", *mqtt, "password", value=SECRETS["mqtt"])
    yield changed("takes no user or password", *mqtt, "url", value=f"mqtts://driftd:{SECRETS['mqtt']}@127.0.0.1:1")
    yield changed("takes no user or password", *kafka, "brokers", value=["127.0.0.1:1", f"driftd:{SECRETS['kafka']}@127.0.0.1:1"])
    yield changed("takes no user or password", "service", "listen", value=f"driftd:{SECRETS['web']}@127.0.0.1:1")
    yield changed("unknown key", "databases", "plant", "password", value=SECRETS["mysql"])
    yield changed("without user or password", "alerts", "notifiers", "hook",
                  value={"type": "webhook", "url": f"http://driftd:{TOKENS['hook']}@127.0.0.1:1/"})
    yield changed("secret_file", "alerts", "notifiers", "hook", "secret_file", value=[str(no_secret)])
    yield changed("external_url must be", "service", "external_url", value=f"http://driftd:{TOKENS['external']}@driftd.test/")


@pytest.fixture
def files(tmp_path):
    """Half of them files, half systemd credentials."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    out = {}
    for name, text in {**SECRETS, "webhook": "whsec_" + base64.b64encode(SIGNING).decode(),
                       "train": "whsec_" + base64.b64encode(TRAINING).decode()}.items():
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
        for name in ["hook", "train"]:
            (tmp_path / f"{name}.url").write_text(f"{receiver.url}/{TOKENS[name]}?token={TOKENS[name]}\n")
        (tmp_path / "away.url").write_text(f"http://127.0.0.1:{servers.free_port()}/{TOKENS['hook']}\n")
        config = plant.config(
            [{"check": "in_range", "field": "temperature", "min": 0, "max": 500}, {"check": "page_hinkley", "field": "temperature"}],
            service={"web_config": str(web), "log_level": "debug"},
            databases={"plant": {"host": "127.0.0.1", "port": mariadb.port, "database": mariadb.database,
                                 "user": mariadb.user, "password_file": files["mysql"]}},
            alerts={"for": 1, "notifiers": {"hook": {"type": "webhook", "url_file": str(tmp_path / "hook.url"),
                                                     "secret_file": [files["webhook"]]},
                                            "away": {"type": "webhook", "url_file": str(tmp_path / "away.url")},
                                            "alertmanager": {"type": "alertmanager",
                                                             "urls": [f"http://127.0.0.1:{servers.free_port()}/{TOKENS['alertmanager']}",
                                                                      f"{receiver.url}/{TOKENS['alertmanager']}"]},
                                            "train": {"type": "retrain", "url_file": str(tmp_path / "train.url"), "secret_file": [files["train"]],
                                                      "guard": {"cooldown": "1h"}}}})
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
        plant.post(service, [*plant.records(0, 3), *plant.records(3, 3, temperature=90)])  # a drift
        for name in ["hook", "train", "away", "alertmanager"]:
            service.wait_metric("driftd_notifications_total", 1, notifier=name, result="retry")
        asked = {request.path for request in receiver.received()}
        assert {f"/{TOKENS[name]}?token={TOKENS[name]}" for name in ["hook", "train"]} <= asked, asked
        wait_for(lambda: service.log().count("notifier cannot be reached") == 4, "each of them in the log", 15)
        assert service.get("/", user=("prometheus", GUESS)).status == 401
        limits = pathlib.Path(f"/proc/{service.child.pid}/limits").read_text()
        assert re.search(r"^Max core file size +0 ", limits, re.M), "no core, which would have them all"
        wait_for(lambda: "uthentication" in service.log(), "Kafka's refusal in the log", 15)

        shown = {"log": service.log()}
        for path in ENDPOINTS:
            answer = service.get(path)
            assert (answer.status == 404) == (path == "/nothing"), answer
            shown[path] = whole(answer)
        shown.update(answers_to_posts(service))
        given = GUESS + told(service.config_path, web, folder=tmp_path)
        for number, (said, wrong) in enumerate(misplaced(config, made.key, tmp_path)):
            service.write_config(wrong)
            answer = service.post("/-/reload")
            assert answer.status == 400 and said in answer.text, answer
            done = run_driftd("check", service.config_path, env=env)
            assert done.returncode == 2 and said in done.stderr, done
            given += told(service.config_path, folder=tmp_path)
            shown[f"reload {number}, {said}"], shown[f"check {number}, {said}"] = whole(answer), done.stdout + done.stderr
        service.write_config(config)
        assert service.post("/-/reload").status == 200
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
        service.wait(lambda: service.metrics().get("driftd_web_config_last_reload_successful") == 0, "the bad one in the log")
        service.terminate(within=20)
        shown["log at the end"] = service.log()
        for path in pathlib.Path(service.data_dir).rglob("*"):
            if path.is_file():
                shown[str(path)] = path.read_bytes().decode("latin-1")
        assert len(shown["log"]) > 1000
        secrets = all_secrets(made.key)
        for secret in secrets:
            assert any(form in given for form in forms(secret)), f"{secret} is looked for and driftd was never told it"
        nowhere(shown, [*(form for secret in secrets for form in forms(secret)), *logins()])


def nowhere(shown, secrets):
    for place, text in shown.items():
        for secret in secrets:
            assert secret not in text, f"{place} shows {secret}"


def test_the_password_of_the_shared_store_is_not_shown(driftd, mariadb, tmp_path):
    """One that the database refuses, which ends the start, and the right one."""
    mariadb.execute("DROP TABLE IF EXISTS driftd_unit, driftd_state, driftd_output")
    password = tmp_path / "store"
    config = plant.config([{"check": "count", "min": 1000}], service={"store": "state", "log_level": "debug"},
                          databases={"state": {"host": "127.0.0.1", "port": mariadb.port, "database": mariadb.database,
                                               "user": mariadb.user, "password_file": str(password)}})
    config["alerts"] = {"for": 1, "notifiers": {"log": {"type": "log"}}}
    password.write_text(mariadb.password + "\n")
    service = driftd(config).wait_ready()
    plant.post(service, plant.records(0, 3))
    service.wait_metric("driftd_windows_total", 2, stream="plant")
    shown = {path: whole(service.get(path)) for path in ENDPOINTS}
    password.write_text(STORE + "\n")
    shown["POST /-/reload"] = whole(service.post("/-/reload"))
    for arguments in [["check"], ["store", "inspect"], ["store", "verify"], ["rules", "prometheus"]]:
        done = run_driftd(*arguments, service.config_path)
        shown[" ".join(arguments)] = done.stdout + done.stderr
    assert "Access denied" in shown["store inspect"] and "Access denied" in shown["store verify"], shown
    service.terminate(within=20)
    refused = run_driftd("run", service.config_path)
    assert refused.returncode == 3 and "Access denied" in refused.stderr, refused
    shown.update({"log": service.log(), "refused": refused.stdout + refused.stderr})
    for path in pathlib.Path(service.data_dir).rglob("*"):
        if path.is_file():
            shown[str(path)] = path.read_bytes().decode("latin-1")
    nowhere(shown, [STORE, mariadb.password])


@pytest.mark.parametrize("url", ["tcp://driftd:{}@127.0.0.1:1", "ssl://driftd:{}@127.0.0.1:1", "driftd:{}@127.0.0.1:1", "mqtts://driftd:{}"])
def test_a_password_in_a_url_of_mqtt_is_not_shown_whatever_is_wrong_with_it(url):
    """Some as other clients of MQTT write it."""
    config = plant.config([], source={"mqtt": {"url": url.format(SECRETS["mqtt"]), "topics": ["a"], "client_id": "a"}})
    done = run_driftd("check", Driftd(config).config_path)
    assert done.returncode == 2 and "url" in done.stderr, done
    nowhere({"check": done.stdout + done.stderr}, [SECRETS["mqtt"]])
