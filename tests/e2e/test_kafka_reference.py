"""A reference built from a stretch of a topic of a real Kafka."""
import plant
from driftd import Driftd, run_driftd


def test_the_offsets_that_a_reference_rests_on_are_said(kafka, unique):
    """Times name other records once a topic has lost its oldest; offsets say which ones were read."""
    kafka.create_topic(unique, partitions=3)
    rows = list(plant.kafka_records(plant.records(0, 10)))
    kafka.produce(unique, rows[:600], partition=0)
    kafka.produce(unique, rows[600:], partition=2)
    service = Driftd(plant.config([{"check": "not_null", "field": "temperature"}],
                                  source={"kafka": {"brokers": [kafka.bootstrap], "topics": [unique]}}))

    def show(name, *range_):
        done = run_driftd("reference", "build", service.config_path, "--kafka", unique, "--name", name, *range_)
        assert done.returncode == 0, done.stderr
        done = run_driftd("reference", "show", service.config_path, f"{name}@1")
        assert done.returncode == 0, done.stderr
        return done.stdout

    whole = show("whole")
    assert f"kafka:{unique} partition:0 offsets:0-599" in whole, whole
    assert f"kafka:{unique} partition:2 offsets:0-399" in whole, whole
    assert "partition:1" not in whole, "it had no record"
    assert "records  1000, 0 rejected" in whole, whole
    part = show("part", "--from", plant.window_start(1), "--to", plant.window_start(8))
    assert f"partition:0 offsets:{plant.PER_WINDOW}-599" in part, part
    assert f"partition:2 offsets:0-{2 * plant.PER_WINDOW - 1}" in part, part
    assert f"from:{plant.window_start(1)} to:{plant.window_start(8)}" in part, part
