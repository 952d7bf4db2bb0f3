"""The variant that the results say to deploy."""

from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.results import records, summary
from breakeven.results.answer import answers
from breakeven.results.limits import Limits


def variant_to_deploy(study: Study, family: str, hardware: str, inputs: int) -> str:
    """Return the recommended variant for calls of so many inputs by one caller; "" without one.

    Raises:
        UserError: the family was not measured on this hardware yet.
    """
    benchmark = records.read_benchmark(paths.benchmark(family, hardware))
    limits = Limits.of(study)
    for found in answers([benchmark], summary.rows([benchmark], limits), limits):
        first = found.rows[0]
        if found.choice.best and (first.batch_size, first.callers) == (inputs, 1):
            return found.choice.best.variant
    return ""
