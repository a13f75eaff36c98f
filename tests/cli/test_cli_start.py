"""What commands import: time to the first line is made of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import eznas
import eznas_kernels

RUN = """
import sys
from eznas.cli import main
try:
    main(sys.argv[2:])
except SystemExit as end:
    assert end.code == 0
print([name for name in sys.argv[1].split(",") if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("arguments", "slow"),
    [
        (["--help"], ["torch", "scipy", "matplotlib", "numba", "numpy"]),
        (["evolve", "--help"], ["torch", "scipy", "matplotlib", "numba", "numpy"]),
        (["show", "eznas-a"], ["scipy", "matplotlib", "numba", "deap", "eznas_kernels.library"]),
        (["show", "eznas-a", "--plan"], ["scipy", "matplotlib", "numba", "deap", "eznas_kernels.library"]),
    ],
)
def test_commands_do_not_wait_for_imports_that_they_do_not_need(arguments, slow):
    path = os.pathsep.join(str(Path(package.__file__).parents[1]) for package in (eznas, eznas_kernels))
    done = subprocess.run(
        [sys.executable, "-c", RUN, ",".join(slow), *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
