"""Write params.yaml from conf/ (study=NAME, KEY=VALUE, ...)."""

from argparse import ArgumentParser, Namespace

GROUP = "set up"
EXAMPLE = "breakeven compose study=reference measure.seconds=60 && dvc repro"


def arguments(parser: ArgumentParser) -> None:
    """Add the overrides."""
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDE", help="in Hydra's grammar: seed=1")


def run(chosen: Namespace) -> None:
    """Compose the settings, check them, and write params.yaml."""
    import yaml

    from breakeven.config import compose, schema
    from breakeven.core import paths
    from breakeven.core.files import write_json, write_text

    text, overrides = compose.compose_completed(chosen.overrides)
    settings = schema.validate(yaml.safe_load(text))
    write_text(paths.PARAMS, text)
    write_json(paths.OVERRIDES, overrides)
    for phrase in settings.left_out().values():
        print(phrase)
    print(f"params.yaml: study {settings.study}, families {', '.join(settings.families)}. Next: dvc repro")
