import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from eznas_kernels import policy

LANES_OF_FEATURES = {"+avx2": 8, "+avx512f": 16}


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="the processors are x86")
@pytest.mark.parametrize("features", LANES_OF_FEATURES)
def test_a_vector_fills_a_register_of_the_processor_that_is_compiled_for(features):
    environment = {
        **os.environ,
        "NUMBA_CPU_NAME": "x86-64",
        "NUMBA_CPU_FEATURES": features,
        "PYTHONPATH": str(Path(policy.__file__).parents[1]),
    }
    command = [sys.executable, "-c", "from eznas_kernels.vectors import LANES; print(LANES)"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == LANES_OF_FEATURES[features]
