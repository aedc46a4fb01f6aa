"""Late work: when a submission came, when it was due, and what lateness costs.

The policy is a class of nbgrader's kind (`plugins.LatePolicy` here, or one of your own), named in
the course's ``nbgrader_config.py``. nbgrader takes the penalty once, when tests are run, and from
what has been marked by then. A percentage of a score that a person has still to add to would be too
small, so `renew_penalties` takes it anew whenever scores are read.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hierwidgets.errors import DataError

from .folder import Course

__all__ = ["days_late", "due_date", "penalty", "renew_penalties", "write_time"]

STAMP = "timestamp.txt"
DAY = 86_400.0


def days_late(seconds: float, grace_minutes: float = 0) -> int:
    """The days that have begun since the due date; none within the grace.

    Examples
    --------
    >>> [days_late(hours * 3600, grace_minutes=60) for hours in (0, 1, 2, 24, 25)]
    [0, 0, 1, 1, 2]
    """
    return 0 if seconds <= 60 * grace_minutes else math.ceil(seconds / DAY)


def penalty(
    score: float, days: int, *, per_day: float, unit: str, most: float | None = None
) -> float:
    """What `days` of lateness take from a score: points, or percent of the score.

    Parameters
    ----------
    score, days
        The student's points, and the days that have begun.
    per_day, unit, most
        So many "points" or "percent" for each day, and never more than `most` of them.

    Returns
    -------
    float
        Points between 0 and the score.

    Examples
    --------
    >>> penalty(20, 2, per_day=10, unit="percent")
    4.0
    >>> penalty(20, 9, per_day=3, unit="points", most=12)
    12.0
    """
    lost = per_day * days if most is None else min(per_day * days, most)
    points = score * lost / 100 if unit == "percent" else lost
    return float(min(max(points, 0.0), max(score, 0.0)))


def due_date(text: str, zone: str) -> datetime:
    """A date and time of the course's configuration as UTC.

    Parameters
    ----------
    text
        ``"2026-12-01 23:59"``, or with a zone of its own behind it, such as ``Asia/Tokyo``.
    zone
        The zone where the text names none, such as ``"Europe/Helsinki"``.

    Raises
    ------
    DataError
        If it is no date, or its zone is unknown or not given.

    Examples
    --------
    >>> str(due_date("2026-12-01 23:59", "Europe/Helsinki"))
    '2026-12-01 21:59:00'
    """
    words = text.split()
    name = words[2] if len(words) == 3 else zone
    allowed = (
        f"the due date {text!r} cannot be read; write it as "
        '"2026-12-01 23:59", with c.LatePolicy.timezone = "Europe/Helsinki", for example'
    )
    try:
        local = datetime.fromisoformat(" ".join(words[:2]))
        if local.tzinfo is None:
            local = local.replace(tzinfo=ZoneInfo(name))
    except (ValueError, OSError, LookupError) as problem:
        raise DataError(f"{allowed} ({problem or 'no time zone is given'})") from None
    return local.astimezone(UTC).replace(tzinfo=None)


def write_time(course: Course, assignment: str, student: str, folder: Path) -> tuple[str, ...]:
    """Write when a submission came into `folder`, as nbgrader reads it; a note if that is unknown.

    The time is that of ``timestamp.txt``, which nbgrader's exchange and ``zip_collect`` write.
    Without one, it is the time of the newest file if the policy says so
    (``LatePolicy.file_times``). A zone that nbgrader would take for UTC without a word, such as
    CEST, is the policy's own.
    """
    handed = course.notebook("submitted", assignment, student).parent
    settings = course.config().get("LatePolicy", {})
    target = folder / STAMP
    target.unlink(missing_ok=True)
    found = sorted(handed.rglob(STAMP))
    if found:
        text = found[0].read_text(encoding="utf-8-sig", errors="replace").strip()
        time = _read_time(text, settings)
        if time is None:
            return (f"when it was handed in cannot be read: {text[:60]!r}",)
    elif settings.get("file_times", False):
        files = [path.stat().st_mtime for path in handed.rglob("*") if path.is_file()]
        time = datetime.fromtimestamp(max(files), UTC)
    else:
        return ()
    target.write_text(f"{time:%Y-%m-%d %H:%M:%S} UTC\n")
    return ()


def _read_time(text: str, settings: Mapping[str, Any]) -> datetime | None:
    """The time in a file of nbgrader's: date, time and zone; a zone by number, name or letters."""
    words = text.split()
    try:
        local = datetime.fromisoformat(" ".join(words[:2]))
        if local.tzinfo is not None or len(words) == 1:
            return local.astimezone(UTC) if local.tzinfo else local.replace(tzinfo=UTC)
        zone = words[2] if len(words) > 2 else "UTC"
        if zone[0] in "+-":
            return datetime.fromisoformat(f"{' '.join(words[:2])}{zone}").astimezone(UTC)
        return local.replace(tzinfo=_zone(zone, settings)).astimezone(UTC)
    except (ValueError, OSError, LookupError):
        return None


def _zone(name: str, settings: Mapping[str, Any]) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return ZoneInfo(settings["timezone"])  # letters such as CEST name no zone by themselves


def renew_penalties(course: Course, assignment: str) -> None:
    """Take the penalties of an assignment anew, from the due date and the marks as they are now.

    The due date is that of the policy (``LatePolicy.due``) where it has one, and otherwise the one
    that was set in the formgrader; a student's extension counts.

    Raises
    ------
    DataError
        If the configuration names a date that cannot be read.
    """
    from nbgrader.api import Gradebook, MissingEntry
    from nbgrader.preprocessors import AssignLatePenalties

    settings = course.config().get("LatePolicy", {})
    with course.nbgrader() as api:
        stage = AssignLatePenalties(parent=api)
        stage.init_plugin()
        with Gradebook(api.coursedir.db_url, api.coursedir.course_id) as book:
            try:
                assigned = book.find_assignment(assignment)
            except MissingEntry:
                return
            if assignment in settings.get("due", {}):
                zone = settings.get("timezone", "")
                assigned.duedate = due_date(settings["due"][assignment], zone)
                book.db.commit()
            for submission in assigned.submissions:
                late = submission.total_seconds_late
                for notebook in submission.notebooks:
                    lost = _lost(stage.plugin_inst, submission.student.id, notebook.score, late)
                    notebook.late_submission_penalty = lost
            book.db.commit()


def _lost(policy: Any, student: str, score: float, seconds: float) -> float | None:
    if seconds <= 0:
        return None
    lost = policy.late_submission_penalty(student, score, seconds)
    return None if lost is None else min(max(float(lost), 0.0), float(score))
