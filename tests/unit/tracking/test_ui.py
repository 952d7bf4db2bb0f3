"""`breakeven ui` prints its first page once it answers, and ends at Ctrl-C without a word."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

UI = """
import sys
from breakeven.cli import main
sys.exit(main.main(["ui", "--no-browser", "--port", sys.argv[1]]))
"""


@pytest.mark.timeout(120)
@pytest.mark.slow
def test_ctrl_c_ends_the_ui_and_its_server_without_a_traceback(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "params.yaml").touch()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "MLFLOW_"))}
    ui = subprocess.Popen(
        [sys.executable, "-c", UI, str(port)],
        cwd=tmp_path,
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert ui.stdout
        first = next(line for line in ui.stdout if "http://" in line)
        with urlopen(first.split()[-1].partition("#")[0]) as page:
            assert page.status == 200
        os.killpg(ui.pid, signal.SIGINT)  # as a terminal sends it
        _, said = ui.communicate(timeout=30)
    finally:
        ui.kill()
    assert "Traceback" not in said and "KeyboardInterrupt" not in said
    with pytest.raises(OSError, match="refused"):
        urlopen(f"http://127.0.0.1:{port}")
