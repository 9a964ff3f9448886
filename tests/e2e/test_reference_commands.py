"""References by command, on a machine that has none yet, and files for streams that take their sensor
from the topic."""
import re

import yaml

import plant
from driftd import CONFIGS, run_driftd

CHECKS = [{"check": "distance", "field": "temperature", "metric": "ks", "max": 0.3}]


def machine(tmp_path, name, **more):
    """A configuration whose data_dir is not there yet."""
    config = plant.config(CHECKS, service={"data_dir": str(tmp_path / name / "deep" / "data")}, stream_reference="plant@production", **more)
    path = tmp_path / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def reference(*arguments, status=0):
    done = run_driftd("reference", *arguments)
    assert done.returncode == status, done
    return done.stdout + done.stderr


def test_build_diff_export_import(tmp_path):
    first, second = machine(tmp_path, "first"), machine(tmp_path, "second")
    for number, level in enumerate([20.0, 25.0]):
        rows = tmp_path / f"rows{number}.jsonl"
        rows.write_text(plant.lines(plant.records(0, 20, temperature=level)))
        reference("build", first, "--input", rows, "--alias", "production", "--tag", f"t{number}")
    assert "temperature" in reference("diff", first, "plant@1", "plant@t1")
    assert "plant@1 and plant@1 are the same" in reference("diff", first, "plant@1", "plant@t0")

    assert "no references yet" in reference("list", second)
    assert "no references yet" in reference("show", second, "plant@1", status=2)
    assert "no references yet" in reference("promote", second, "plant@1", status=2)
    assert not (tmp_path / "second").exists(), "looking makes no folder"

    exported = tmp_path / "plant.ref"
    reference("export", first, "plant@t1", exported)
    said = reference("import", second, exported)
    assert said.startswith("plant@1 sha256:"), said
    assert said.split()[1][7:] in reference("show", second, "plant@1"), "the same reference by its hash"
    assert "plant@1" in reference("list", second)
    third = machine(tmp_path, "third")
    reference("build", third, "--input", rows, "--input", tmp_path / "rows0.jsonl", "--tag", "t1")
    assert "plant@1 has the tag 't1'" in reference("import", third, exported, status=2), "a tag does not move"
    assert "plant@1 has the tag 't1'" in reference("build", third, "--input", rows, "--tag", "t1", status=2)
    damaged = bytearray(exported.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    exported.write_bytes(damaged)
    assert str(exported) in reference("import", second, exported, status=3)


def test_rollback_twice_goes_forward_again_and_the_help_says_so(tmp_path):
    config = machine(tmp_path, "m")
    rows = tmp_path / "rows.jsonl"
    for tag, level in (("a", 20), ("b", 25)):
        rows.write_text(plant.lines(plant.records(0, 20, temperature=level)))
        reference("build", config, "--input", rows, "--alias", "production", "--tag", tag, "--note", f"run={tag}")
    assert "forward again" in reference("rollback", "--help")
    for version in (1, 2, 1):
        assert f"plant@production is version {version} again" in reference("rollback", config, "plant")
    said = reference("promote", config, "plant@2", "--alias", "production")
    assert "version 2" in said
    assert re.search(r"by \w+@\S+ at ", reference("show", config, "plant@2")), "who it was"


def test_what_no_configuration_could_name_is_refused_before_anything_is_read(tmp_path):
    config = machine(tmp_path, "m")
    for arguments, why in ((["--name", "x y"], "'x y' is no name of a reference: it must be of letters, digits, _ - and dots"),
                           (["--tag", "a b"], "'a b' is no tag: it must be of letters"),
                           (["--tag", "7"], "'7' is no tag: it means a version"),
                           (["--alias", "v2"], "'v2' is no alias: it means a version"),
                           (["--tag", "same", "--alias", "same"], "'same' cannot be a tag and an alias")):
        assert why in reference("build", config, "--input", tmp_path / "not-there", *arguments, status=2)
    assert not (tmp_path / "m").exists()


def test_a_file_gives_the_sensor_that_the_topic_would(tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join('{"pump": "p%d", "ts": %d, "flow": 32.0}\n' % (i % 3, 1583748873000 + 1000 * i) for i in range(300)))
    env = {"DRIFTD_DATA_DIR": str(tmp_path / "data")}
    skab = CONFIGS / "skab.yaml"
    for command in (["replay", skab], ["reference", "build", skab]):
        refused = run_driftd(*command, "--input", rows, env=env)
        assert refused.returncode == 2 and "--sensor" in refused.stderr and "@topic" in refused.stderr, refused
        done = run_driftd(*command, "--input", rows, "--sensor", "pump", env=env)
        assert done.returncode == 0, done
        assert "300 records" in done.stdout and "missing_sensor" not in done.stdout + done.stderr, done


def test_a_replay_that_accepts_nothing_is_not_fine(tmp_path):
    config = machine(tmp_path, "m")
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"ts": 1, "other": 2}\n' * 300)
    done = run_driftd("replay", config, "--input", rows)
    assert done.returncode == 3, done
    assert "rejected: 300 missing_sensor" in done.stdout and "nothing was judged" in done.stdout, done
    assert "fine" not in done.stdout, done
    rows.write_text("")
    done = run_driftd("replay", config, "--input", rows)
    assert done.returncode == 3 and "fine" not in done.stdout, done
