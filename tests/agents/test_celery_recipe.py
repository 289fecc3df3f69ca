"""The Celery recipe of docs/jobs.md works as it is printed."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import KEYS_TEXT
from job_team import WAIT_SECONDS, JobTeam
from redis import Redis
from redis.exceptions import ConnectionError as NoRedisError

from ringfence.conversations.job_status import JobStatus

PAGE = Path(__file__).parents[2] / "docs" / "jobs.md"
SERVER = os.environ.get("RINGFENCE_TEST_REDIS_URL", "redis://127.0.0.1:6379")
SUBMIT = "import asyncio, jobs_app; asyncio.run(jobs_app.ringfence.jobs.submit('Look', id='handed in'))"


@pytest.fixture
def broker() -> Iterator[str]:
    """The URL of an empty database of Redis, which is empty again afterwards."""
    for number in range(15, 0, -1):
        with Redis.from_url(f"{SERVER}/{number}") as redis:
            try:
                if redis.dbsize():
                    continue
            except NoRedisError:
                pytest.skip(f"needs Redis, and none answers at {SERVER}")
            yield f"{SERVER}/{number}"
            redis.flushdb()
            return
    pytest.skip(f"needs an empty database of Redis, and {SERVER} has none")


@pytest.fixture
def recipe(tmp_path: Path, broker: str) -> Iterator[JobTeam]:
    """The folder of a team with the file of the page in it, which Celery serves; a job is handed in there."""
    (code,) = re.findall(r"```python\n(import asyncio\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "jobs_app.py").write_text(code)
    team = JobTeam(tmp_path, f"sqlite:///{tmp_path / 'store.sqlite'}", lease_seconds=2)
    environment = os.environ | {"CELERY_BROKER_URL": broker, "RINGFENCE_VAULT_KEYS": KEYS_TEXT}
    serve = ["celery", "--app", "jobs_app", "worker", "--beat", "--concurrency", "2", "--loglevel", "WARNING"]
    celery = subprocess.Popen([sys.executable, "-m", *serve], cwd=tmp_path, env=environment)
    subprocess.run([sys.executable, "-c", SUBMIT], cwd=tmp_path, env=environment, check=True)
    yield team
    celery.terminate()
    celery.wait()


@pytest.mark.timeout(120)  # Celery and its processes import everything anew
async def test_the_celery_recipe_runs_jobs(recipe: JobTeam) -> None:
    """What is handed in runs in Celery's processes, and so does what nobody delivered."""
    ringfence = recipe.ringfence()
    try:
        await ringfence.jobs.submit("Look again", id="not delivered")
        for job in ("handed in", "not delivered"):
            assert (await ringfence.jobs.wait(job, 2 * WAIT_SECONDS)).status is JobStatus.DONE
    finally:
        await ringfence.close()
