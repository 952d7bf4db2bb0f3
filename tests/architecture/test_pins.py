"""A tool has one version, wherever it is named."""

import yaml
from project import ROOT


def test_pre_commit_runs_the_ruff_of_the_constraints() -> None:
    pins = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    )
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    revisions = {hook["repo"].rpartition("/")[2]: hook.get("rev") for hook in hooks}
    assert revisions["ruff-pre-commit"] == f"v{pins['ruff']}"
