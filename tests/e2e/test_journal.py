"""What happens to the journal of a stream behind driftd's back, and when it is full: nobody is needed, what is
acknowledged afterwards counts, and what may be lost is said."""
import json

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


def lines(first, size):
    """A body of `size` bytes: records of the window number `first`."""
    rows = []
    while sum(map(len, rows)) < size:
        rows.append(json.dumps({"sensor": "p1", "ts": plant.START + first * plant.WINDOW, "temperature": 20.0,
                                "status": "on", "pad": "x" * 1000}) + "\n")
    return "".join(rows)


def send(service, body):
    return service.post("/api/v1/streams/plant/records", body, headers={"Content-Type": "application/x-ndjson"})


def limited(journal):
    return plant.config([{"check": "count", "min": 1}], service={"limits": {"journal": journal}})


def test_a_full_journal_has_room_again_after_a_checkpoint(driftd):
    service = driftd(limited("1MiB")).wait_ready()
    body = lines(0, 800_000)
    for _ in range(3):  # of each only one fits
        service.wait(lambda: send(service, body).status == 200, "room for another body")
    too_large = send(service, lines(0, 2_000_000))
    assert too_large.status == 413 and "Retry-After" not in too_large.headers, too_large
    assert "service.limits.journal" in too_large.text, too_large
    service.wait(lambda: send(service, body).status == 200, "room for another body")
    sent = 4 * body.count("\n")
    metrics = service.wait_metric("driftd_records_total", sent, stream="plant", result="accepted")
    assert metrics.get("driftd_records_total", stream="plant", result="accepted") == sent


def test_a_journal_over_a_limit_that_was_lowered(driftd):
    service = driftd(limited("64MiB")).wait_ready()
    body = lines(0, 3_000_000)
    assert send(service, body).status == 200
    sent = body.count("\n")
    service.wait_metric("driftd_records_total", sent, stream="plant", result="accepted")
    assert service.terminate() == 0
    service.write_config(limited("1MiB"))
    service.start().wait_ready()
    for window in range(1, 4):
        body = lines(window, 1000)
        service.wait(lambda: send(service, body).status == 200, "room for a body of 1 KB")  # pylint: disable=cell-var-from-loop
        sent += body.count("\n")
    metrics = service.wait_metric("driftd_records_total", 3 * body.count("\n"), stream="plant", result="accepted")
    assert metrics.get("driftd_source_gaps_total", stream="plant") == 0
    journal = service.data_dir / "streams" / "plant" / "journal"
    service.wait(lambda: sum(segment.stat().st_size for segment in journal.iterdir()) <= 1 << 20, "a journal within its limit")
    service.kill9()
    service.start().wait_ready()
    body = lines(4, 1000)
    assert send(service, body).status == 200
    metrics = service.wait_metric("driftd_records_total", body.count("\n"), stream="plant", result="accepted")
    assert metrics.get("driftd_source_gaps_total", stream="plant") == 0
