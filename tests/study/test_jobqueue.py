"""The page on clusters starts workers with dask-jobqueue: what its script asks SLURM for."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "cluster.md"


@pytest.mark.filterwarnings("default")
def test_the_script_of_the_page_asks_for_what_the_page_says(monkeypatch):
    jobqueue = pytest.importorskip("dask_jobqueue")
    slurm = pytest.importorskip("dask_jobqueue.slurm")
    (code,) = re.findall(r"```python\n# cluster\.py.*?\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    given = {}
    monkeypatch.setattr(jobqueue, "SLURMCluster", lambda **options: given.update(options))
    exec(code.partition("cluster.adapt")[0], {})
    script = slurm.SLURMJob("tcp://10.0.0.5:8786", name="workers", **given).job_script()
    assert "#SBATCH --cpus-per-task=4" in script
    assert "#SBATCH -t 04:00:00" in script
    assert "#SBATCH --mem=8G" in script
    for option in ("--nworkers 4", "--nthreads 1", "--lifetime 3h50m", "--lifetime-stagger 4m"):
        assert option in script, script
