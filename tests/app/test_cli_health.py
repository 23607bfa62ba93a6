"""What the doctor makes of what it measures."""

import fcntl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from capdesk.app.commands import health


@pytest.mark.parametrize(
    ("version", "verdict"),
    [("3.7.0", "problem"), ("3.40.1", "problem"), ("3.51.2", "problem"), ("3.51.3", "ok"), ("3.54.1", "ok")],
)
def test_the_wal_reset_bug_is_in_3_7_0_to_3_51_2(version: str, verdict: str) -> None:
    finding = health.check_sqlite(version)

    assert finding.verdict == verdict
    assert finding.figures == {"version": version, "wal_reset_bug": verdict == "problem"}


@pytest.mark.parametrize(
    ("kind", "verdict"), [("ext4", "ok"), ("nfs4", "problem"), ("tmpfs", "warning"), ("unknown", "warning")]
)
def test_a_file_system_is_judged_by_its_type(
    kind: str, verdict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capdesk.ledger.files.file_system", lambda _: kind)

    assert health.check_file_system(tmp_path).verdict == verdict


def test_a_slow_disk_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "sync_times", lambda _: [0.001] * 95 + [0.2] * 5)
    latency, _ = health.check_sync(tmp_path)

    assert latency.verdict == "warning"
    assert latency.said.startswith("median 1.00 ms, p99 200.00 ms")


def test_a_clock_that_jumps_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([1000.0, 1003.0])
    monkeypatch.setattr(health, "sync_times", lambda _: [0.001] * 100)
    monkeypatch.setattr(health.time, "time", lambda: next(ticks))
    _, steadiness = health.check_sync(tmp_path)

    assert steadiness.verdict == "warning"
    assert "jumped by 3.0" in steadiness.said


def test_a_clock_behind_the_last_entry_is_a_problem() -> None:
    ahead = datetime.now(UTC) + timedelta(hours=1)

    found = health.check_clock(ahead)
    assert found.verdict == "problem"
    assert "recycle MARKET --now" in found.said
    assert health.check_clock(ahead - timedelta(hours=2)).verdict == "ok"
    assert health.check_clock(None).verdict == "ok"


def test_measuring_leaves_no_file_behind(tmp_path: Path) -> None:
    assert len(health.sync_times(tmp_path)) == health.SYNCS
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1024}))

    assert health.check_space(tmp_path).verdict == "problem"


def test_a_writer_at_work_is_told(tmp_path: Path) -> None:
    ledger = tmp_path / "desk.db"
    assert health.check_turn(ledger).figures["held"] is False
    with (tmp_path / "desk.db-turn").open("wb") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        assert health.check_turn(ledger).figures["held"] is True
    assert health.check_turn(ledger).figures["held"] is False
