"""The examples in docstrings do what they say."""

import doctest

import pytest

from breakeven.engine import measure


# It trains nothing, but measures two runtimes, one of which takes seconds to import and to export.
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_example_of_measure_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(
        measure.measure_artifacts, "measure_artifacts", measure
    )
    failures: list[str] = []
    # The twin of a run differs from the baseline in one run of twenty, which then gives no verdict.
    for _ in range(3):
        failures.clear()
        if not doctest.DocTestRunner().run(example, out=failures.append, clear_globs=False).failed:
            break
    assert failures == []
