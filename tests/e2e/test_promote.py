"""A version that is promoted while driftd runs: windows that start from then on are judged against it,
without a reload, after a restart and in a replay of the same records."""
import pytest

import plant
from driftd import read_lines, run_driftd
from plant import lines, records


@pytest.fixture
def service(driftd, tmp_path):
    """A stream of one partition with two versions, of 20 and of 35 degrees; the first is in production."""
    config = plant.config([{"check": "distance", "field": "temperature", "metric": "psi", "max": 0.5}],
                          source={"http": {"partitions": 1}}, stream_reference="pumps@production",
                          service={"findings": {"all": True}})
    running = driftd(config)
    for degrees, more in ((20, ("--alias", "production")), (35, ())):
        history = tmp_path / f"{degrees}.jsonl"
        history.write_text(lines(records(-100, 100, temperature=degrees)))
        done = run_driftd("reference", "build", running.config_path, "--input", history, "--name", "pumps", *more)
        assert done.returncode == 0, done.stderr
    running.terminate()
    return running.start().wait_ready()


def versions(service):
    """Version and verdict of each judged window, by its start."""
    return {f["window"]["start"]: (f["reference"]["version"], f["verdict"])
            for f in service.findings(check="distance") if "reference" in f}


def promote(service, version):
    done = run_driftd("reference", "promote", service.config_path, f"pumps@{version}")
    assert done.returncode == 0, done.stderr


def test_windows_after_a_promotion_use_the_new_version(service, tmp_path):
    sent = [*records(0, 3), *records(3, 1, temperature=35)]
    plant.post(service, sent)
    service.wait(lambda: len(versions(service)) == 3, "three judged windows")
    promote(service, 2)
    service.wait(lambda: service.metrics().get("driftd_reference_info", version="2") == 1, "the new version is in use")
    assert service.metrics().get("driftd_reference_info", version="1") == 0
    more = [*records(4, 3, temperature=35)]
    plant.post(service, more)
    service.wait(lambda: len(versions(service)) == 6, "six judged windows")
    expected = {plant.window_start(n): (1, "ok") for n in range(3)}
    expected[plant.window_start(3)] = (1, "fail")  # it had begun
    expected.update({plant.window_start(n): (2, "ok") for n in (4, 5)})
    assert versions(service) == expected

    service.kill9()
    service.start().wait_ready()
    last = [*records(7, 2, temperature=35)]
    plant.post(service, last)
    service.wait(lambda: len(versions(service)) == 8, "eight judged windows")
    expected.update({plant.window_start(n): (2, "ok") for n in (6, 7)})
    assert versions(service) == expected
    # All findings are asked for, so the good ones say what they rest on too.
    good = service.findings(check="distance", verdict="ok")
    assert good and all("p_value" in f["detail"] and "worst_bin" in f["detail"] for f in good), good
    assert service.terminate() == 0

    recorded = tmp_path / "recorded.jsonl"
    recorded.write_text(lines([*sent, *more, *last]))
    replayed = tmp_path / "findings.jsonl"
    done = run_driftd("replay", service.config_path, "--input", recorded, "--findings", replayed, "--all")
    assert done.returncode == 0, done.stderr
    live = service.findings()
    assert read_lines(replayed)[:len(live)] == live, "the same findings, byte for byte"

    rolled = run_driftd("reference", "rollback", service.config_path, "pumps")
    assert rolled.returncode == 0 and "version 1" in rolled.stdout, rolled
    service.start().wait_ready()
    plant.post(service, records(9, 3))
    service.wait(lambda: versions(service).get(plant.window_start(10)) == (1, "ok"), "version 1 again")
    assert versions(service)[plant.window_start(8)] == (2, "ok"), "it had begun before the rollback"


def test_driftd_is_not_ready_until_its_references_are_there(driftd, tmp_path):
    """A stream that names no reference lacks none; an alias is taken when it is there, without a restart."""
    settings = plant.config([{"check": "distance", "field": "temperature", "metric": "psi", "max": 0.5}],
                            source={"http": {"partitions": 1}}, stream_reference="pumps@production",
                            service={"checkpoint_every": "500ms", "findings": {"all": True}})
    settings["streams"]["other"] = {**settings["streams"]["plant"], "checks": [{"check": "count", "min": 0}]}
    del settings["streams"]["other"]["reference"]
    service = driftd(settings)

    def missing():
        ready = service.get("/-/ready")
        assert ready.status in (200, 503), ready
        return [] if ready.status == 200 else ready.json()["reasons"]

    why = "stream plant: runs without its reference, as there is no pumps@production yet: driftd reference build"
    service.wait(lambda: len(missing()) == 1 and missing()[0].startswith(why), lambda: f"only the reference is missing: {missing()}")
    plant.post(service, records(0, 3))
    judged = service.wait_findings(lambda f: len(f) == 2, "its checks say what they can", check="distance")
    assert {f["reason"] for f in judged} == {"no_reference"}

    history = tmp_path / "history.jsonl"
    history.write_text(lines(records(-100, 100)))
    done = run_driftd("reference", "build", service.config_path, "--stream", "plant", "--input", history,
                      "--name", "pumps", "--alias", "production")
    assert done.returncode == 0, done.stderr
    service.wait_ready()
    assert service.metrics().get("driftd_reference_info", version="1") == 1
    plant.post(service, records(3, 4))
    service.wait(lambda: "ok" in {verdict for _, verdict in versions(service).values()}, "windows are judged by it")
    service.kill9()
    service.start().wait_ready()


LATE = pytest.mark.parametrize("which,more", [("pumps@winter", ("--tag", "winter")), ("pumps@1", ())])


def without_reference(driftd, which):
    """A stream that was judged without `which` for two windows, with a third one open."""
    service = driftd(plant.config([{"check": "distance", "field": "temperature", "metric": "psi", "max": 0.5}],
                                  source={"http": {"partitions": 1}}, stream_reference=which,
                                  service={"checkpoint_every": "500ms", "findings": {"all": True}}))
    service.wait(lambda: f"there is no {which} yet" in service.get("/-/ready").text, "it is not ready")
    plant.post(service, records(0, 3))
    service.wait(lambda: len(judged_by(service)) == 2, "two windows without it")
    return service


def build(service, tmp_path, *more):
    history = tmp_path / "history.jsonl"
    history.write_text(lines(records(-100, 100)))
    done = run_driftd("reference", "build", service.config_path, "--input", history, *more)
    assert done.returncode == 0, done.stderr


def judged_by(service):
    """Version and verdict of each window, by its start; each is in the findings once."""
    found = service.findings(check="distance")
    starts = [f["window"]["start"] for f in found]
    assert len(starts) == len(set(starts)), starts
    return {f["window"]["start"]: (f.get("reference", {}).get("version"), f.get("reason") or f["verdict"]) for f in found}


def expected(first, count):
    """Windows of which those before `first` have no reference."""
    return {plant.window_start(n): (None, "no_reference") if n < first else (1, "ok") for n in range(count)}


@LATE
def test_a_tag_or_version_that_comes_while_driftd_runs_holds_from_the_next_window(driftd, tmp_path, which, more):
    service = without_reference(driftd, which)
    build(service, tmp_path, *more)
    service.wait_ready()
    assert service.metrics().get("driftd_reference_info", version="1") == 1
    plant.post(service, records(3, 3))
    service.wait(lambda: len(judged_by(service)) == 5, "five windows")
    assert judged_by(service) == expected(3, 5), "the third had begun"
    service.kill9()
    service.start().wait_ready()
    plant.post(service, records(6, 2))
    service.wait(lambda: len(judged_by(service)) == 7, "seven windows")
    assert judged_by(service) == expected(3, 7), "the same after a restart"


@LATE
def test_a_tag_or_version_that_comes_while_driftd_is_away_holds_from_the_next_window(driftd, tmp_path, which, more):
    service = without_reference(driftd, which)
    assert service.terminate() == 0
    build(service, tmp_path, *more)
    verified = run_driftd("store", "verify", service.config_path)
    assert verified.returncode == 0, verified
    service.start().wait_ready()
    plant.post(service, records(3, 3))
    service.wait(lambda: len(judged_by(service)) == 5, "five windows")
    assert judged_by(service) == expected(3, 5), "what was open went on as it was"


def test_a_tag_that_comes_before_any_record_holds_from_the_beginning(driftd, tmp_path):
    service = driftd(plant.config([{"check": "distance", "field": "temperature", "metric": "psi", "max": 0.5}],
                                  source={"http": {"partitions": 1}}, stream_reference="pumps@winter", service={"findings": {"all": True}}))
    service.terminate()
    build(service, tmp_path, "--tag", "winter")
    service.start().wait_ready()
    plant.post(service, records(0, 3))
    service.wait(lambda: len(judged_by(service)) == 2, "two windows")
    assert judged_by(service) == expected(0, 2)


@pytest.mark.parametrize("which,how", [("pumps@winter", "--alias winter, or --tag winter, makes one; it is taken with the next checkpoint"),
                                       ("pumps@1", "build or import it; it is taken with the next checkpoint")])
def test_what_to_do_for_a_reference_that_is_not_there_is_said(driftd, which, how):
    service = driftd(plant.config([{"check": "count", "min": 0}], source={"http": {}}, stream_reference=which))
    service.wait(lambda: how in service.get("/-/ready").text, lambda: f"what to do: {service.get('/-/ready').text}")
