"""Make a project in a folder of your own, which uses the installed package."""

from argparse import ArgumentParser, Namespace

GROUP = "set up"
EXAMPLE = "breakeven init my-study && cd my-study && breakeven new mine --model resnet18 --data photos"
ANYWHERE = True  # it makes the project


def arguments(parser: ArgumentParser) -> None:
    """Add the folder, and the switch for an upgrade."""
    parser.add_argument("folder", nargs="?", default=".", help="the folder of the project (default: here)")
    parser.add_argument(
        "--update",
        action="store_true",
        help="write dvc.yaml and params.yaml anew, as the installed version has them",
    )


def run(chosen: Namespace) -> None:
    """Write the project, and print what to type next."""
    from pathlib import Path

    from breakeven import __version__
    from breakeven.config import new_project

    folder = Path(chosen.folder)
    if chosen.update:
        new_project.update(folder)
        print(f"dvc.yaml and params.yaml are those of version {__version__}. Next: dvc repro")
        return
    new_project.create(folder)
    there = "" if folder.resolve() == Path.cwd() else f"cd {chosen.folder}\n  "
    print(
        f"A project is in {folder.resolve()}. Next:\n"
        f"  {there}breakeven new NAME --model MODULE:CLASS --data FOLDER   # put your modules there\n"
        f"or, to see everything work on a small example (minutes):\n"
        f"  {there}dvc repro"
    )
