"""What the stage `serve` recorded of a study, for the report, MLflow and the documentation."""

from collections.abc import Iterator

from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.report.extra_sections import ExtraSection
from breakeven.results import callers, served
from breakeven.results.callers import CallersRecord
from breakeven.results.served import ServedRecord
from breakeven.serving.capacity import callers_findings, findings, log

Recorded = ServedRecord | CallersRecord


def records(study: Study) -> Iterator[Recorded]:
    """Yield the records that hold figures."""
    for family in study.families:
        for hardware in study.hardware:
            file = paths.served(family) / f"{hardware}.json"
            if file.exists() and (record := served.read(file)).rows:
                yield record
        file = paths.served(family) / paths.CALLERS_FILE
        if file.exists() and any((crowd := callers.read(file)).measured):
            yield crowd


def section(record: Recorded) -> ExtraSection:
    """Return the report's section on a record."""
    if isinstance(record, ServedRecord):
        return findings.section(record)
    return callers_findings.section(record)


def log_all(study: Study) -> None:
    """Log each record to MLflow. Safe to repeat."""
    for record in records(study):
        if isinstance(record, ServedRecord):
            log.log_served(record)
        else:
            log.log_callers(record)
