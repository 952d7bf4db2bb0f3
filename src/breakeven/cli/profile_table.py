"""The tables of where time goes: in a family's model, and between two variants."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakeven.artifacts.artifact import BASELINE
from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.core.errors import Failed, Unsupported, UserError
from breakeven.core.format import counted, wrapped
from breakeven.diagnosis import in_process
from breakeven.pipeline.profiled_variant import profiled_variant
from breakeven.report.terminal_table import paragraph
from breakeven.report.time_sections import best_sentence, gain_sentences, profile_sentences
from breakeven.results import records, summary, time_profile, waterfall
from breakeven.results.gains import gains
from breakeven.results.limits import Limits
from breakeven.results.result_row import ResultRow
from breakeven.results.time_profile import TimeProfile, microseconds, names

SECONDS = 4.0  # to measure a variant for


def show_family(study: Study, family: str, only: str = "") -> None:
    """Print where a family's time goes, before anything is optimized.

    Args:
        only: the hardware; "" for each hardware.

    Raises:
        UserError: there is no profile yet.
    """
    console = Console(highlight=False)
    for hardware in [only] if only else study.hardware:
        folder = paths.profile(family, hardware)
        if not (folder / paths.PROFILE_FILE).exists():
            raise UserError(
                f"There is no profile of {family} on {hardware} yet: run `dvc repro`, and before it "
                "`breakeven init --update` if an earlier version made this project."
            )
        record = time_profile.read(folder / paths.PROFILE_FILE)
        threads = study.hardware[hardware].get("threads")
        where = f"{hardware} (threads: {threads}), {counted(record.inputs, 'input')} a call"
        title = f"{family}: {BASELINE} on {where}"
        console.print(title, style="bold", markup=False)
        if record.profile is None:
            console.print(f"There is no profile: {record.reason}.", markup=False)
            continue
        rows = _rows(study, family, hardware)
        console.print(_parts(record.profile))
        _say(console, [*profile_sentences(record.profile), *best_sentence(record, rows)])
        console.print(
            "What each change alone could gain here at most (Amdahl), and what it gained:", markup=False
        )
        _say(console, gain_sentences(gains(record, rows)))
        console.print("Calls in time order, for https://ui.perfetto.dev:", markup=False)
        console.print(f"  {folder / paths.TRACE_FILE}", markup=False)


def show_difference(study: Study, family: str, hardware: str, variants: Sequence[str]) -> None:
    """Profile two variants, and print the parts of the difference between them.

    Raises:
        UserError: one of the two cannot be profiled.
    """
    profiles, inputs = [], min(study.measure.batch_sizes)
    for name in variants:
        try:
            measured = profiled_variant(study, family, hardware, name, inputs)
            profiles.append(in_process.profile(measured, SECONDS))
        except (Unsupported, Failed) as error:
            reason = str(error).rstrip(".")
            raise UserError(f"{name} cannot be profiled: {reason}.") from None
    first, second = profiles
    console = Console(highlight=False)
    threads = study.hardware[hardware].get("threads")
    where = f"{hardware} (threads: {threads}), {counted(inputs, 'input')} a call"
    console.print(f"{family} on {where}", style="bold", markup=False)
    for sentence in _verdict(_rows(study, family, hardware), first, second, inputs):
        console.print(Text(wrapped(sentence, console.width, "", "")))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("part", no_wrap=True)
    for name in ("before, µs", "after, µs", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    found = waterfall.steps(first, second)
    for step in found:
        table.add_row(step.name, *map(microseconds, (step.before, step.after)), microseconds(step.us, "+"))
    table.add_section()
    change = microseconds(second.us - first.us, "+")
    table.add_row("a call (p50)", microseconds(first.us), microseconds(second.us), change)
    console.print(table)
    console.print("What changed:", markup=False)
    _say(console, (f"{step.name}: {step.why}" for step in found))
    _say(console, waterfall.sentences(first, second))


def _verdict(
    rows: Sequence[ResultRow], first: TimeProfile, second: TimeProfile, inputs: int
) -> Iterable[str]:
    """Yield how much faster the second is: as the study measured it, and as it is now."""
    now = _change(first.us, second.us)
    found = {row.variant: row for row in rows if row.batch_size == inputs and row.callers == 1}
    was, then = (found[each.name].latency_ms_p50 if each.name in found else None for each in (first, second))
    if was and then:
        yield (
            f"{_faster(second.name, was / then, first.name)}, as the study measured: "
            f"{_change(1e3 * was, 1e3 * then)}. Profiled now, for the parts: {now}."
        )
    else:
        yield f"{_faster(second.name, first.us / second.us, first.name)}: {now}."


def _faster(name: str, ratio: float, base: str) -> str:
    return f"{name} is {ratio:.2f}x as fast as {base}"


def _rows(study: Study, family: str, hardware: str) -> list[ResultRow]:
    return summary.rows([records.read_benchmark(paths.benchmark(family, hardware))], Limits.of(study))


def _parts(profile: TimeProfile) -> Table:
    """Return a table of the parts of a call."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("part", no_wrap=True)
    table.add_column("µs", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column("operators", overflow="fold")
    for name, us in profile.parts().items():
        operators = names(part for part in profile.operators if part.kind == name)
        table.add_row(name, microseconds(us), f"{us / profile.us:.1%}", Text(operators))
    table.add_section()
    table.add_row("a call (p50)", microseconds(profile.us), "100%", "")
    return table


def _change(before: float, after: float) -> str:
    return f"{microseconds(before)} → {microseconds(after)} µs"


def _say(console: Console, sentences: Iterable[str]) -> None:
    for sentence in sentences:
        console.print(Text(paragraph(console, f"- {sentence}")))
