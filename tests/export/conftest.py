import sys
from pathlib import Path

# For the networks whose layers are known there, under the name by which the tests of statistics import them.
sys.path.append(str(Path(__file__).parents[1] / "statistics"))
