"""Small tasks whose accuracies are known by design, for the tests of searches."""

import numpy as np

from eznas import spaces
from eznas.program import Program
from eznas.ranking import Contender
from eznas.search import ProxyScores
from eznas.tasks import AccuracyTable, Task

CONTENDER = Contender("counted", Program.parse("numel(T3)"))


class Digits(spaces.Space):
    """Architectures `000` to `999`: three choices of ten values."""

    name = "digits"

    def architectures(self):
        return [f"{number:03d}" for number in range(1000)]

    def choices(self, architecture):
        return tuple(architecture)

    def build(self, architecture, classes=10):
        raise NotImplementedError


def task(architectures=None, accuracies=None, space=None):
    """Every architecture of `Digits`, with the sum of the digits for its accuracy; without any images."""
    space = space or Digits()
    texts = tuple(space.architectures() if architectures is None else architectures)
    if accuracies is None:
        accuracies = np.array([float(sum(map(int, text))) for text in texts])
    return Task("digits", space, None, AccuracyTable(texts, accuracies), {}, "digits")


class GivenScores(ProxyScores):
    """Scores that are given instead of computed.

    Attributes:
        values: the score of every network, not oriented.
        asked: the rows that were missing, for each time that scores were asked for.
    """

    def __init__(self, of, values, contender=CONTENDER):
        super().__init__(of, contender)
        self.values, self.asked = values, []

    def compute(self, rows, progress=None):
        assert progress is None or callable(progress)
        missing = [row for row in dict.fromkeys(rows) if row not in self._known]
        self.asked.append(missing)
        self._known |= {row: self.contender.orientation * float(self.values[row]) for row in missing}


def perfect(of, contender=CONTENDER):
    """Scores that rank networks as their accuracies do."""
    return GivenScores(of, of.accuracies * contender.orientation, contender)
