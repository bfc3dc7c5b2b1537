"""APScheduler around the timetable: every process keeps it, the one that leads acts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from clearinghouse.jobs.timetable import Job

log = structlog.get_logger(__name__)


class Scheduler:
    """Runs jobs in the background while `leads()` says that this process is the one to act.

    A job never runs beside itself; runs that were missed are made up for by one. A job that raises is logged and
    tried again at its next time.
    """

    def __init__(self, jobs: Sequence[Job], leads: Callable[[], bool]) -> None:
        self._leads = leads
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        for job in jobs:
            self._add(job)

    def _add(self, job: Job) -> None:
        seconds = job.every.total_seconds()
        interval = IntervalTrigger(seconds=seconds, timezone=UTC)
        self._scheduler.add_job(
            self._run, interval, args=(job,), id=job.name, name=job.name, next_run_time=datetime.now(UTC)
        )
        for at in job.at:
            trigger = CronTrigger(hour=at.hour, minute=at.minute, second=at.second, timezone=UTC)
            self._scheduler.add_job(self._run, trigger, args=(job,), id=f"{job.name} at {at:%H:%M}", name=job.name)

    def start(self) -> None:
        """Begin; every job runs once at once."""
        self._scheduler.start()

    def stop(self) -> None:
        """End after the runs that are under way."""
        self._scheduler.shutdown(wait=True)

    def _run(self, job: Job) -> None:
        started = time.monotonic()
        try:
            if self._leads():
                job.run()
        except Exception:
            log.exception("job failed", job=job.name, seconds=round(time.monotonic() - started, 3))
