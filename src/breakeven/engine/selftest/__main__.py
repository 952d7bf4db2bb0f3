"""The command of the self-test, `make selftest-measure`. It takes two hours, or five minutes with `--quick`.

The command keeps each finished piece in `.breakeven/selftest`, so that an interrupted run can go on. It
measures all pieces again when the engine's source changes. It prints all rows, and writes them to
results/selftest.json. The picture docs/images/selftest.svg shows what each part of the protocol contributes.
`--quick` writes neither file.
"""

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from breakeven.core import paths
from breakeven.core.digests import fingerprint
from breakeven.core.errors import UserError
from breakeven.core.files import read_json, write_json
from breakeven.core.plugin import names
from breakeven.core.progress import counted
from breakeven.core.source_digest import digests_of_modules
from breakeven.core.system_info import collect
from breakeven.engine.selftest.plan import plan
from breakeven.engine.selftest.plot import draw
from breakeven.engine.selftest.rows import rows
from breakeven.engine.selftest.table import show


def main() -> None:
    """Measure the pieces that have no result yet, then print and write the rows."""
    parser = argparse.ArgumentParser(prog="python -m breakeven.engine.selftest", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="five minutes, and wider intervals")
    quick = parser.parse_args().quick
    groups = ("runtimes", "hardware")
    plugins = [f"breakeven.plugins.{group}.{name}" for group in groups for name in names(group)]
    code = digests_of_modules(["breakeven.engine.selftest.__main__", *plugins])
    results_folder = paths.private() / "selftest" / fingerprint(code)
    results_folder.mkdir(parents=True, exist_ok=True)
    work, started, results = list(plan(quick)), time.monotonic(), []
    with TemporaryDirectory() as scratch, counted("selftest", len(work), every_s=0) as count:
        for number, piece in enumerate(work):
            result_file = results_folder / f"{piece.name.replace(' ', '_')}.json"
            if missing := not result_file.exists():
                count.begin(piece.name)
                write_json(result_file, {"kind": piece.kind, "result": piece.run(Path(scratch), number)})
            count.end(is_new=missing)
            results.append(read_json(result_file))
    checks = rows(results)
    if not quick:
        write_json(paths.SELFTEST, [asdict(row) for row in checks])
        draw(paths.SELFTEST_PICTURE, checks)
    show(checks, collect())
    print(f"{(time.monotonic() - started) / 60:.1f} minutes; what was measured: {results_folder}")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"breakeven: {error}")
    except KeyboardInterrupt:
        sys.exit("breakeven: interrupted; run it again to go on.")
