"""driftd is killed at random moments while records come: nothing is lost, nothing counted twice, and the
findings are those of an undisturbed run. A short form of scripts/crash_test."""
import pytest

import crash
import gate_crash
import http_crash

LIVES = (1, 3, 9)  # longer ones, where a machine is so slow that little comes between two kills


@pytest.mark.parametrize("kind", ["kafka", "mqtt"])
def test_kills_cost_nothing(kind):
    counts = crash.run(kind, kills=12, seed=7)
    assert counts.windows > 20, counts
    assert (counts.lost, counts.double, counts.differing, counts.webhooks, counts.alerts, counts.unkept) == (0,) * 6, counts


@pytest.mark.parametrize("kind", ["kafka", "mqtt"])
def test_damaged_checkpoints_cost_nothing(kind):
    """As above, and behind each kill the newest checkpoint is damaged."""
    for life in LIVES:
        counts = crash.run(kind, kills=12, seed=11, damage=True, life=life)
        assert counts.windows > 20, counts
        assert (counts.lost, counts.double, counts.differing, counts.webhooks, counts.alerts, counts.unkept) == (0,) * 6, counts
        if counts.damaged > 4:
            break
    assert counts.damaged > 4, counts


@pytest.mark.parametrize("kind", ["kafka", "mqtt"])
def test_without_the_state_records_are_lost(kind):
    """So the test above can fail."""
    counts = crash.run(kind, kills=8, seed=7, naive=True)
    assert 0 < counts.lost < counts.sent, f"what was open at a kill is lost, and not all: {counts}"
    assert counts.differing > 0, counts


def test_kills_cost_readers_behind_a_gate_nothing():
    counts = gate_crash.run(kills=12, seed=7)
    assert counts.sent > 3000, counts
    assert (counts.lost, counts.double, counts.misplaced, counts.disordered) == (0, 0, 0, 0), counts


def test_damaged_checkpoints_cost_readers_behind_a_gate_nothing():
    for life in LIVES:
        counts = gate_crash.run(kills=12, seed=11, damage=True, life=life)
        assert (counts.lost, counts.double, counts.misplaced, counts.disordered) == (0, 0, 0, 0), counts
        if counts.damaged > 4:
            break
    assert counts.sent > 3000 and counts.damaged > 4, counts


def test_without_transactions_readers_get_records_twice():
    """So the test above can fail."""
    for life in LIVES:
        counts = gate_crash.run(kills=20, seed=7, naive=True, life=life)  # each with a chance of some 30 %
        if counts.double > 0:
            break
    assert counts.double > 0, counts


def test_kills_cost_bodies_that_were_answered_nothing():
    for life in LIVES:
        counts = http_crash.run(kills=12, seed=7, life=life)
        assert (counts.missing, counts.partly, counts.double) == (0, 0, 0), counts
        if counts.answered > 200 and counts.unknown > 3:
            break
    assert counts.answered > 200 and counts.unknown > 3, counts


def test_without_the_journal_bodies_are_missing():
    """So the test above can fail."""
    counts = http_crash.run(kills=6, seed=7, naive=True)
    assert counts.missing > 20, counts
