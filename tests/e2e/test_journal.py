"""What happens to the journal of a stream behind driftd's back: nobody is needed, what is acknowledged afterwards
counts, and what may be lost is said."""
import plant

CHECKS = [{"check": "count", "min": plant.PER_WINDOW, "max": plant.PER_WINDOW}]


def stopped(driftd):
    """A service that has checkpointed two windows and a part of a third one, and has ended."""
    service = driftd(plant.config(CHECKS, service={"findings": {"all": True}})).wait_ready()
    plant.post(service, plant.records(0, 3))
    service.wait_metric("driftd_records_total", 3 * plant.PER_WINDOW, stream="plant", result="accepted")
    assert service.terminate() == 0
    return service, service.data_dir / "streams" / "plant" / "journal"


def judged(service):
    """(start, rows, verdict) of each window from the third on."""
    return [(f["window"]["start"], f.get("value"), f["verdict"]) for f in service.findings()
            if f["check"] == "count" and f["window"]["start"] >= plant.window_start(2)]


def test_a_journal_that_was_moved_away(driftd):
    service, journal = stopped(driftd)
    before = len(service.log())
    journal.rename(service.dir / "elsewhere")
    service.start().wait_ready()
    plant.post(service, plant.records(3, 4))
    metrics = service.wait_metric("driftd_records_total", 4 * plant.PER_WINDOW, stream="plant", result="accepted")
    assert metrics.get("driftd_source_gaps_total", stream="plant") == 1
    said = service.log()[before:]
    assert said.count("it ends before what the checkpoint has read of it") == 1, said
    service.wait(lambda: len(judged(service)) >= 4, lambda: f"four windows more: {service.findings()}")
    found = judged(service)
    assert found[0][2] == "no_verdict", f"records of it may be lost: {found}"
    assert found[-1] == (plant.window_start(5), plant.PER_WINDOW, "ok"), found


def test_a_damaged_header(driftd):
    service, journal = stopped(driftd)
    [segment] = journal.iterdir()
    with open(segment, "r+b") as file:
        file.seek(10)
        file.write(b"\xff")
    service.start().wait_ready()
    plant.post(service, plant.records(3, 2))
    service.wait(lambda: len(judged(service)) == 2, lambda: f"two windows more: {service.findings()}")
    assert judged(service) == [(plant.window_start(n), plant.PER_WINDOW, "ok") for n in (2, 3)]
    assert service.metrics().get("driftd_source_gaps_total", stream="plant") == 1
    assert service.metrics().get("driftd_source_lost_records_total", stream="plant") == 0
    assert service.log().count("the header of a segment is damaged") == 1
    assert service.terminate() == 0
    service.start().wait_ready()
    assert service.log().count("the header of a segment is damaged") == 1, "it was written anew"
