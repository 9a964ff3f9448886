"""driftd's HTTP server behind a web configuration: a real Prometheus scrapes with TLS and a password;
wrong passwords, authorities and clients are refused; renewed files take effect while it runs."""
import crypt
import resource
import shutil
import socket
import ssl
import time
from http.client import HTTPConnection, HTTPSConnection

import pytest
import yaml

import plant
from driftd import Driftd, run_driftd
from servers import certificates, http, wait_for

USER = ("prometheus", "s3cret-of-the-web")


def bcrypt(password):
    return crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << 6))


def write(path, content):
    """As tools that renew files do it."""
    new = path.with_suffix(".new")
    new.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    new.rename(path)


@pytest.fixture
def web(tmp_path, driftd):
    """start(web configuration, client options) gives a driftd; the file is `start.path`, the server's
    certificate `start.made`."""
    made = certificates.make(tmp_path / "server")
    path = tmp_path / "web.yml"

    def start(content, **client):
        write(path, content)
        config = plant.config([{"check": "not_null", "field": "temperature"}], service={"web_config": str(path)})
        return driftd(config, client=client)

    start.path, start.made = path, made
    start.tls = {"cert_file": "server/server.pem", "key_file": "server/server.key"}
    return start


def refused(service, **client):
    with pytest.raises(OSError):
        http.get(service.url + "/metrics", **client)
    return True


def test_prometheus_scrapes_with_tls_and_a_password(web, prometheus):
    context = certificates.trusting(web.made)
    service = web({"tls_server_config": web.tls, "basic_auth_users": {USER[0]: bcrypt(USER[1])}},
                  context=context, user=USER)
    scrape = {"scheme": "https", "tls_config": {"ca_file": str(web.made.ca)},
              "basic_auth": {"username": USER[0], "password": USER[1]}}
    assert prometheus([service.target], scrape=scrape).wait_query("up == 1")
    wrong = prometheus([service.target], scrape={**scrape, "basic_auth": {"username": USER[0], "password": "wrong"}})
    wrong.wait_query("up == 0")
    # A scrape that was slow says so first.
    wait_for(lambda: "401" in wrong.targets()[0][2], lambda: f"401 as the error of {wrong.targets()}")
    stranger = prometheus([service.target], scrape={**scrape, "tls_config": {}})
    stranger.wait_query("up == 0")
    wait_for(lambda: "unknown authority" in stranger.targets()[0][2], lambda: f"an unknown authority as the error of {stranger.targets()}")
    for path in ["/", "/metrics", "/-/healthy", "/-/ready", "/api/v1/streams", "/nothing"]:
        assert service.get(path, user=None).status == 401, path
        assert service.get(path, user=("nobody", USER[1])).status == 401, path
    assert service.post("/api/v1/streams/plant/records", "{}", user=None).status == 401
    plant.post(service, plant.records(0, 1))
    assert service.metrics().get("driftd_http_connections_total", result="tls_failed") > 0
    for version in [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]:
        context.minimum_version = context.maximum_version = version
        assert service.get("/metrics").status == 200, version
    old = certificates.trusting(web.made)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    refused(service, context=old)


def test_client_certificates(web, tmp_path):
    clients, strangers = certificates.make(tmp_path / "clients"), certificates.make(tmp_path / "strangers")
    shown = certificates.trusting(web.made, clients)
    web.tls["client_ca_file"] = str(clients.ca)
    without, stranger = certificates.trusting(web.made), certificates.trusting(web.made, strangers)
    service = web({"tls_server_config": {**web.tls, "client_auth_type": "RequireAndVerifyClientCert"}}, context=shown)
    assert refused(service, context=without) and refused(service, context=stranger)
    assert service.get("/metrics").status == 200
    service.stop()

    service = web({"tls_server_config": {**web.tls, "client_auth_type": "VerifyClientCertIfGiven"}}, context=shown)
    assert http.get(service.url + "/metrics", context=without).status == 200
    assert refused(service, context=stranger)
    service.stop()

    del web.tls["client_ca_file"]
    service = web({"tls_server_config": {**web.tls, "client_auth_type": "RequireAnyClientCert"}}, context=shown)
    assert refused(service, context=without)
    assert http.get(service.url + "/metrics", context=stranger).status == 200
    service.stop()

    service = web({"tls_server_config": {**web.tls, "client_auth_type": "RequestClientCert"}}, context=without)
    assert http.get(service.url + "/metrics", context=stranger).status == 200


def test_renewed_files_take_effect_without_a_restart(web, tmp_path):
    content = {"tls_server_config": web.tls, "basic_auth_users": {USER[0]: bcrypt(USER[1])}}
    service = web(content, context=certificates.trusting(web.made), user=USER)
    # A certificate of another authority: the old one serves until the key fits too.
    renewed = certificates.make(tmp_path / "renewed")
    shutil.copy(renewed.certificate, web.made.certificate)
    service.wait(lambda: service.metrics().get("driftd_web_config_last_reload_successful") == 0, "a refused reload")
    assert service.log_path.read_text().count("the old one stays") == 1
    shutil.copy(renewed.key, web.made.key)
    service.client["context"] = certificates.trusting(renewed)
    service.wait(lambda: service.metrics().get("driftd_web_config_last_reload_successful") == 1, "the new certificate")
    refused(service, context=certificates.trusting(web.made), user=USER)

    write(web.path, {**content, "basic_auth_users": {USER[0]: bcrypt("another")}})
    service.wait(lambda: service.get("/metrics").status == 401, "the old password refused")
    assert service.get("/metrics", user=(USER[0], "another")).status == 200
    service.client["user"] = (USER[0], "another")
    write(web.path, "basic_auth_users: {prometheus: plain}")
    service.wait(lambda: service.metrics().get("driftd_web_config_last_reload_successful") == 0, "a refused reload")
    assert "plain" not in service.log_path.read_text()

    web.path.write_text("")  # as an editor leaves it for a moment
    service.wait(lambda: "is empty" in service.log_path.read_text(), "a refused reload")
    refused_user = service.client.pop("user")
    assert service.get("/metrics").status == 401, "the doors stay closed"
    service.client["user"] = refused_user


def answers(connection):
    connection.request("GET", "/-/healthy")
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200


def ends(connection):
    with pytest.raises(ConnectionError):
        answers(connection)
    return True


def test_who_came_before_the_doors_changed_does_not_stay_in(web, tmp_path):
    trusting, clients = certificates.trusting(web.made), certificates.make(tmp_path / "clients")
    shown = certificates.trusting(web.made, clients)
    service = web({})
    plain = HTTPConnection("127.0.0.1", service.port, timeout=5)
    assert answers(plain)
    write(web.path, {"tls_server_config": web.tls})
    service.wait(lambda: "changed web configuration is applied" in service.log(), "TLS")
    assert ends(plain)
    stranger = HTTPSConnection("127.0.0.1", service.port, timeout=5, context=trusting)
    assert answers(stranger) and answers(stranger)
    verified = {**web.tls, "client_auth_type": "RequireAndVerifyClientCert", "client_ca_file": str(clients.ca)}
    write(web.path, {"tls_server_config": verified})
    service.wait(lambda: service.log().count("changed web configuration is applied") == 2, "certificates wanted of clients")
    assert ends(stranger)
    client = HTTPSConnection("127.0.0.1", service.port, timeout=5, context=shown)
    assert answers(client)
    write(web.path, {"tls_server_config": {**verified, "client_ca_file": str(web.made.ca)}})
    service.wait(lambda: service.log().count("changed web configuration is applied") == 3, "another authority")
    assert ends(client)


def test_a_broken_file_is_refused_at_start_and_by_check(tmp_path):
    config = Driftd(plant.config([], service={"web_config": "web.yml"}))
    (config.dir / "web.yml").write_text("tls_server_confg:\n  cert_file: a\n")
    done = run_driftd("check", config.config_path)
    assert done.returncode == 2 and "web.yml:" in done.stderr, done
    assert "did you mean 'tls_server_config'?" in done.stderr
    done = run_driftd("run", config.config_path)
    assert done.returncode != 0 and "did you mean 'tls_server_config'?" in done.stderr
    # A public address needs more than a file that protects nothing.
    (config.dir / "web.yml").write_text("{}\n")
    config.write_config(plant.config([], service={"web_config": "web.yml", "listen": "0.0.0.0:0"}))
    done = run_driftd("check", config.config_path)
    assert done.returncode == 2 and "nothing protects it" in done.stderr, done


def test_thousands_of_connections_lock_nobody_out(driftd):
    # All come from one address, and a quarter of them are requests: that limit is not what is tried here.
    service = driftd(plant.config([{"check": "not_null", "field": "temperature"}],
                                  service={"limits": {"http_requests": 100000}}))
    plant.post(service, plant.records(0, 1))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    wanted = 10_000
    assert hard > wanted + 500, f"this test opens {wanted} sockets: raise the hard limit of open files (ulimit -Hn), {hard}"
    before, begin, held = service.peak_memory(), time.monotonic(), []
    try:
        for i in range(wanted):
            held.append(socket.create_connection(("127.0.0.1", service.port), timeout=30))
            held[-1].sendall([b"", b"G", b"GET /metrics HTTP/1.1\r\nX: ",
                              b"POST /api/v1/streams/plant/records HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{"][i % 4])
            if i % 1000 == 999:  # in the middle of it
                asked = time.monotonic()
                assert service.get("/metrics").status == 200
                assert time.monotonic() - asked < 10
        print(f"{wanted} connections in {time.monotonic() - begin:.1f} s")
        plant.post(service, plant.records(1, 1))
        assert service.metrics().get("driftd_http_connections_total", result="evicted") >= wanted - 300
    finally:
        for one in held:
            one.close()
    grown = service.peak_memory() - before
    print(f"memory grew by {grown >> 10} KiB")
    assert grown < 64 << 20
    wait_for(lambda: service.get("/-/ready").status == 200, "ready afterwards")
