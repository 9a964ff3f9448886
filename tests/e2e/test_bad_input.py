"""What must not stop driftd, and what must stop it before it starts."""
import json
import re
import signal
import time

import pytest
import yaml

import plant
import servers
from driftd import CONFIGS, need_sources, run_driftd
from servers import certificates, http

# Line and column (from 1) of each thing that is wrong, and a word that the message must have.
WRONG = """\
service:
  listen: 127.0.0.1:9464
  data_dri: /tmp/x
streams:
  pumps:
    from:
      kafka: {brokers: [localhost:9092], topics: [t], groop: g}
    decode: {format: jsn, sensor: id, time: {field: ts, unit: fortnights}}
    fields:
      temperature: {type: numbre}
      site: {type: category, role: segment}
    windows: {size: 5 minutes, by: [stream, sit]}
    checks:
      - {check: in_rnge, field: temperature, min: 0}
      - {check: in_range, field: temprature, min: 0}
      - {check: in_range, field: temperature, min: "${DRIFTD_UNSET:?set the least}", max: -1}
alerts:
  routes:
    - {match: {severity: critical}, to: [nobody]}
"""
ERRORS = [(3, "data_dir"), (7, "group"), (8, "json"), (8, "unit"), (10, "number"), (12, "size"), (12, "site"),
          (14, "in_range"), (15, "temperature"), (16, "set the least"), (19, "nobody")]


def test_check_names_every_error_at_once(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text(WRONG)
    for command in ("check", "run"):
        done = run_driftd(command, path, timeout=20)
        assert done.returncode == 2, f"{command}: {done}"
        output = done.stdout + done.stderr
        found = re.findall(rf"^{re.escape(str(path))}:(\d+):(\d+): (.*)$", output, re.M)
        for line, word in ERRORS:
            assert any(int(at) == line and word in message for at, _, message in found), \
                f"{command} does not say that line {line} is wrong about {word!r}:\n{output}"
        assert all(int(column) >= 1 for _, column, _ in found)
        assert len(found) == len(ERRORS), f"{command} says more than is wrong:\n{output}"


def scalars(node, path=()):
    if isinstance(node, dict):
        for key, value in node.items():
            yield from scalars(value, (*path, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from scalars(value, (*path, number))
    else:
        yield path


def test_a_variable_that_is_not_set_is_one_error_wherever_it_stands(tmp_path):
    """Nothing is said about what would be in its place, and an error elsewhere is said beside it."""
    full = (CONFIGS / "full.yaml").read_text()
    path, wrong = tmp_path / "driftd.yaml", []
    places = list(scalars(yaml.safe_load(full)))
    assert len(places) > 150
    for place in places:
        config = yaml.safe_load(full)
        here = config
        for key in place[:-1]:
            here = here[key]
        here[place[-1]] = "${DRIFTD_UNSET:?set it}"
        config["nonsense"] = 1
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        done = run_driftd("check", path, timeout=20, env={"DRIFTD_DATA_DIR": str(tmp_path)})
        errors = done.stderr.splitlines()
        if done.returncode != 2 or len(errors) != 2 or "set it" not in errors[0] or "nonsense" not in errors[1]:
            wrong.append(f"{place}: {done.returncode} {done.stderr}")
    assert not wrong, "\n".join(wrong)


# Errors that only the factories of sources and decoders, and other files, can see.
DEEP = """\
service:
  web_config: WEB
databases:
  plant: {database: plant, user: driftd, password_file: /nonexistent/db}
streams:
  m:
    from: {mqtt: {url: "http://b", topics: ["a/#/b"], client_id: c}}
    decode: {time: ts}
    fields: {x: number}
    reference: nonsense with spaces
  k:
    from:
      kafka:
        brokers: [localhost:9092]
        topics: [^t]
        options: {no.such.option: 1}
        sasl_password_file: /nonexistent/kafka
    decode: {time: ts, sensor: /a~2}
    fields: {x: number}
    windows: {by: [stream, sensor, stream]}
    reference: a@b@c
    checks:
      - {check: in_range, field: x, mim: 0}
      - {check: expression, expression: 1 <= 2}
  f:
    from: {file: {paths: []}}
    decode: {format: csv, time: ts, separator: ";;", header: false}
    fields: {x: number}
  g:
    from: {generator: {start: today, faults: [{kind: rust, from: 1m, to: 2m}]}}
    decode: {time: ts}
    fields: {x: number}
alerts:
  routes: [{to: []}]
"""
DEEP_ERRORS = [(2, "nonsense"), (4, "password_file"), (7, "url"), (7, "a/#/b"), (10, "reference"), (15, "^t"),
               (16, "no.such.option"), (17, "sasl_password_file"), (18, "/a~2"), (20, "stream"), (21, "a@b@c"),
               (23, "mim"), (24, "no field"), (26, "paths"), (27, "separator"), (27, "columns"), (30, "start"), (30, "rust"),
               (34, "to must name")]


def test_check_tries_sources_and_decoders_too(tmp_path):
    path, web = tmp_path / "deep.yaml", tmp_path / "web.yml"
    web.write_text("nonsense: 1\n")
    path.write_text(DEEP.replace("WEB", str(web)))
    for command in ("check", "run"):
        done = run_driftd(command, path, timeout=20)
        assert done.returncode == 2, f"{command}: {done}"
        found = re.findall(rf"^{re.escape(str(path))}:(\d+):(\d+): (.*)$", done.stderr, re.M)
        for line, word in DEEP_ERRORS:
            assert any(int(at) == line and word in message for at, _, message in found), \
                f"{command} does not say that line {line} is wrong about {word!r}:\n{done.stderr}"
        assert len(found) == len(DEEP_ERRORS), f"{command} says more than is wrong:\n{done.stderr}"
    assert sorted(tmp_path.iterdir()) == [path, web], "check makes no folder and no file"


@pytest.mark.parametrize("text,line", [("streams: {a: [}", 1), ("service:\n\tlisten: x\n", 2), ("- just\n- a list\n", 1)])
def test_check_on_what_is_no_configuration(tmp_path, text, line):
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    done = run_driftd("check", path, timeout=20)
    assert done.returncode == 2, done
    assert f"{path}:{line}:" in done.stdout + done.stderr, done


def test_usage(tmp_path):
    assert run_driftd("check", tmp_path / "absent.yaml", timeout=20).returncode == 2
    assert run_driftd("nonsense", timeout=20).returncode == 2
    for words, meant in [(["chek", "x"], "driftd check"), (["reference", "bild", "x"], "driftd reference build")]:
        done = run_driftd(*words, timeout=20)
        assert done.returncode == 2 and f"did you mean '{meant}'?" in done.stderr, done
    assert run_driftd("version", timeout=20).returncode == 0


def test_good_configurations_pass(tmp_path):
    for path in sorted(CONFIGS.glob("*.yaml")):
        need_sources(path)
        done = run_driftd("check", path, timeout=20, env={"DRIFTD_DATA_DIR": str(tmp_path)})
        assert done.returncode == 0, f"{path.name}: {done.stdout}{done.stderr}"


CHECKS = [{"check": "in_range", "field": "temperature", "min": 0, "max": 50}]


def test_a_broker_that_is_not_there(driftd, unique):
    """It waits quietly, serves the other streams, and goes on when the broker comes."""
    kafka = servers.Kafka()
    try:
        config = plant.config(CHECKS, source={"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique}})
        config["streams"]["other"] = {**config["streams"]["plant"], "from": {"http": {}}}
        service = driftd(config)
        time.sleep(1)
        before, begin = service.cpu_seconds(), time.monotonic()
        answer = service.get("/-/ready")
        assert answer.status == 503, answer
        assert "plant" in answer.text, "says which stream is not ready"
        assert service.get("/-/healthy").status == 200
        rows = plant.lines(plant.records(0, 1))
        service.wait(lambda: service.post("/api/v1/streams/other/records", rows).status == 200, "the other one started", 20)
        metrics = service.wait_metric("driftd_records_total", plant.PER_WINDOW, stream="other", result="accepted")
        service.wait(lambda: service.metrics().get("driftd_source_up", stream="plant") == 0, "source_up 0")
        assert metrics.get("driftd_source_up", stream="other") == 1
        time.sleep(4)
        share = (service.cpu_seconds() - before) / (time.monotonic() - begin)
        assert share < 0.2, f"{share:.0%} of a core while there is nothing to do"
        complaints = [line for line in service.log().splitlines() if str(kafka.port) in line]
        assert 1 <= len(complaints) <= 2, f"one clear line about the broker, not {len(complaints)}:\n{service.log()}"
        kafka.start()
        kafka.create_topic(unique)
        kafka.produce(unique, plant.kafka_records(plant.records(0, 2)))
        service.wait_ready(60)
        service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, stream="plant", result="accepted")
    finally:
        kafka.close()


def test_a_source_that_cannot_open_stops_no_other_stream(driftd, tmp_path):
    """It is not ready and says why, once; it is tried again and goes on when what was missing is there."""
    missing = tmp_path / "missing"
    config = plant.config(CHECKS, source={"file": {"paths": [str(missing)], "format": "json_lines"}})
    config["streams"]["other"] = {**config["streams"]["plant"], "from": {"http": {}}}
    service = driftd(config)

    def says_why():
        answer = service.get("/-/ready")
        assert answer.status == 503 and answer.json()["detail"].count("stream plant: ") == 1, answer
        return str(missing) in answer.text  # at first it is just not started
    service.wait(says_why, lambda: f"the reason; it is {service.get('/-/ready')}")
    rows = plant.lines(plant.records(0, 2, temperature=90))
    service.wait(lambda: service.post("/api/v1/streams/other/records", rows).status == 200, "the other one started", 20)
    metrics = service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, stream="other", result="accepted")
    assert metrics.get("driftd_source_up", stream="other") == 1
    assert service.post("/api/v1/streams/plant/records", rows).status == 503, "it is no unknown stream"
    service.wait(lambda: service.metrics().all("driftd_source_up", stream="plant")[0][1] == 0, "source_up 0")
    [view] = [s for s in service.get("/api/v1/streams").json()["streams"] if s["name"] == "plant"]
    assert str(missing) in json.dumps(view), view
    missing.write_text(rows)
    service.wait(lambda: str(missing) not in service.get("/-/ready").text, "started", 40)
    service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, stream="plant", result="accepted")
    said = [line for line in service.log().splitlines() if str(missing) in line]
    assert len(said) == 1, f"said once:\n{service.log()}"


# What each unit with files needs besides; FILE is one that can be read.
NEEDED = {
    "database": {"database": "d", "user": "u", "tls": True},
    "kafka": {"brokers": ["127.0.0.1:1"], "topics": ["t"]},
    "mqtt": {"url": "mqtts://127.0.0.1:1", "topics": ["t"], "client_id": "c", "username": "u"},
    "tls": {"cert_file": "FILE", "key_file": "FILE"},
    "quarantine": {"topic": "bad", "brokers": ["127.0.0.1:1"]},
    "alertmanager": {"urls": ["http://127.0.0.1:1"]},
    "webhook": {"url": "http://127.0.0.1:1"},
    "retrain": {"url": "http://127.0.0.1:1"},
}


def files_in(schema, path=()):
    """The path in a configuration of every key that names a file: what has a free name is called x."""
    for name, inner in schema.get("properties", {}).items():
        if name.endswith("_file"):
            yield (*path, name)
        yield from files_in(inner, (*path, name))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from files_in(schema["additionalProperties"], (*path, "x"))
    for inner in schema.get("oneOf", []):
        kind = inner.get("properties", {}).get("type", {}).get("const")
        yield from files_in(inner, (*path, f"type={kind}") if kind else path)


FILES = sorted(files_in(json.loads(run_driftd("schema").stdout)))


def test_the_schema_names_files():
    assert len(FILES) >= 13 and {path[-1] for path in FILES} >= {"secret_file", "password_file", "ca_file", "cert_file", "key_file"}


@pytest.mark.parametrize("path", FILES, ids=".".join)
def test_a_file_that_cannot_be_read_is_an_error_of_the_configuration(tmp_path, path):
    missing, config_path, made = tmp_path / "missing", tmp_path / "driftd.yaml", certificates.make(tmp_path / "tls")
    config = plant.config(CHECKS, source={"http": {}}, service={"data_dir": str(tmp_path / "data")})
    [config["streams"]["x"]] = config["streams"].values()
    del config["streams"]["plant"]
    here = config
    for key in path[:-1]:
        if key.startswith("type="):
            here.update({"type": key[5:], **NEEDED[key[5:]]})
            continue
        if key == "from":
            here[key] = {}
        here = here.setdefault(key, {})
        here.update(NEEDED.get("database" if path[:2] == ("databases", key) else key, {}))
    for name in [name for name in here if name.endswith("_file")]:
        here[name] = str({"cert_file": made.certificate, "key_file": made.key}.get(name, __file__))
    here[path[-1]] = str(missing)
    here.pop(path[-1].removesuffix("_file"), None)  # url_file stands in the place of url
    config_path.write_text(yaml.safe_dump(config, sort_keys=False))
    [(line, column)] = [(number, text.index(str(missing)) + 1) for number, text in enumerate(config_path.read_text().splitlines(), 1)
                        if str(missing) in text]
    for command in ("check", "run"):
        done = run_driftd(command, config_path, timeout=20)
        assert done.returncode == 2, f"{command}: {done}"
        found = re.findall(rf"^{re.escape(str(config_path))}:(\d+):(\d+): (.*)$", done.stderr, re.M)
        assert [(int(at), int(place)) for at, place, _ in found] == [(line, column)], f"{command}: {done.stderr}"
        assert path[-1] in found[0][2] and str(missing) in found[0][2], done.stderr
    done = run_driftd("reference", "list", config_path, timeout=20)
    assert done.returncode == 0, f"recorded data needs none of it: {done}"


def test_certificates_of_the_web_configuration_are_read_too(tmp_path):
    path, web = tmp_path / "driftd.yaml", tmp_path / "web.yml"
    web.write_text("tls_server_config: {cert_file: missing.pem, key_file: missing.key}\n")
    path.write_text(json.dumps(plant.config(CHECKS, service={"data_dir": str(tmp_path / "data"), "web_config": str(web)})))
    for command in ("check", "run"):
        done = run_driftd(command, path, timeout=20)
        assert done.returncode == 2 and str(tmp_path / "missing.pem") in done.stderr, f"{command}: {done}"


def test_sigterm_drains_and_checkpoints(driftd):
    """What was accepted before SIGTERM counts after it, once."""
    config = plant.config([{"check": "count", "min": plant.PER_WINDOW, "max": plant.PER_WINDOW}],
                          service={"checkpoint_every": "1h", "findings": {"all": True}})
    service = driftd(config).wait_ready()
    rows = list(plant.records(0, 3))
    half = plant.PER_WINDOW * 3 // 2
    plant.post(service, rows[:half])
    assert service.terminate(within=10) == 0, service.log_tail()
    service.start().wait_ready()
    plant.post(service, rows[half:])
    found = service.wait_findings(lambda f: len(f) == 2, "two whole windows", check="count")
    assert [f["value"] for f in found] == [plant.PER_WINDOW] * 2


def test_sigterm_at_any_time(driftd):
    service = driftd(plant.config(CHECKS))
    assert service.terminate(within=10) == 0, service.log_tail()


@pytest.mark.parametrize("how", ["signal", "http"])
def test_a_bad_reload_keeps_the_old_configuration(driftd, how):
    service = driftd(plant.config(CHECKS)).wait_ready()
    good = service.config_path.read_text()

    def reload():
        if how == "signal":
            service.reload()
            return None
        return service.post("/-/reload")

    service.config_path.write_text(good.replace("check: in_range", "check: in_rnge"))
    answer = reload()
    service.wait(lambda: service.metrics().all("driftd_config_last_reload_successful")[0][1] == 0,
                  "the metric says that the reload failed", 10)
    assert answer is None or 400 <= answer.status < 600, answer
    assert "in_rnge" in service.log() and "in_range" in service.log(), "the log says what is wrong and what may be meant"
    plant.post(service, plant.records(0, 2, temperature=90))
    service.wait_findings(len, "the old check still works", check="in_range", verdict="fail")

    service.config_path.write_text(good.replace("max: 50", "max: 100"))
    answer = reload()
    assert answer is None or answer.status == 200, answer
    service.wait(lambda: service.metrics().get("driftd_config_last_reload_successful") == 1, "the good reload", 10)
    plant.post(service, plant.records(2, 3, temperature=90))
    service.wait_metric("driftd_records_total", 5 * plant.PER_WINDOW, stream="plant", result="accepted")
    late = [f for f in service.findings(check="in_range", verdict="fail")
            if f["window"]["start"] >= plant.window_start(3)]
    assert not late, "90 is in the new range"


def test_records_that_are_none_are_quarantined(driftd):
    """Bad records in a request are counted and kept with their reason; the good ones are taken."""
    service = driftd(plant.config(CHECKS)).wait_ready()
    good = plant.lines(plant.records(0, 1))
    answer = service.post("/api/v1/streams/plant/records", good + '{"sensor":\n{"sensor":"p1"}\n' + good,
                          headers={"Content-Type": "application/x-ndjson"})
    assert answer.status == 200, answer
    metrics = service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, stream="plant", result="accepted")
    metrics = service.wait_metric("driftd_rejects_total", 2, stream="plant")
    assert metrics.get("driftd_rejects_total", stream="plant", reason="undecodable") == 1
    assert metrics.get("driftd_rejects_total", stream="plant", reason="missing_time") == 1
    service.wait_metric("driftd_quarantine_bytes", 1, stream="plant")


@pytest.mark.parametrize("path,method,status", [
    ("/api/v1/streams/nosuch/records", "POST", 404), ("/api/v1/streams/plant/records", "GET", 405), ("/nosuch", "GET", 404)])
def test_http_errors_are_problem_documents(driftd, path, method, status):
    service = driftd(plant.config(CHECKS))
    answer = http.request(method, service.url + path, body="{}" if method == "POST" else None)
    assert answer.status == status, answer
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json()["status"] == status and answer.json()["title"]


def test_a_second_driftd_on_the_same_data_is_refused(driftd):
    service = driftd(plant.config(CHECKS)).wait_ready()
    other = run_driftd("run", service.config_path, timeout=20)
    assert other.returncode == 3, other
    assert str(service.data_dir) in other.stderr or "9464" in other.stderr or str(service.port) in other.stderr
    assert service.get("/-/ready").status == 200


def test_sighup_before_it_is_ready_does_not_kill_it(driftd):
    service = driftd(plant.config(CHECKS))
    service.child.send_signal(signal.SIGHUP)
    service.wait_ready()
