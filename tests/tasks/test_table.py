from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from eznas.errors import TaskError
from eznas.tasks.table import AccuracyTable, read_table

HEADER = "architecture,parameters,flops,training_seconds,accuracy_seed_0,accuracy_seed_1"
GOOD = f"{HEADER}\n|a~0|+b,10,200,1.5,50.0,60.0\nc,20,400,2.5,70.0,85.5\n"

names = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@st.composite
def tables(draw: st.DrawFn) -> AccuracyTable:
    architectures = tuple(draw(st.lists(names, min_size=1, max_size=5, unique=True)))
    count, seeds = len(architectures), draw(st.integers(0, 4))
    whole = arrays.arrays(np.int64, count, elements=st.integers(0, 2**62))
    seconds = arrays.arrays(np.float64, count, elements=st.floats(0, 1e12))
    costs = {
        name: draw(st.none() | column)
        for name, column in (("parameters", whole), ("flops", whole), ("training_seconds", seconds))
    }
    shape = (count, seeds) if seeds else count
    accuracies = draw(arrays.arrays(np.float64, shape, elements=st.floats(0, 100)))
    if seeds:
        return AccuracyTable.of_seeds(architectures, accuracies, **costs)
    return AccuracyTable(architectures, accuracies, **costs)


@given(table=tables())
@settings(max_examples=100, deadline=None)
def test_every_number_and_text_is_read_back_as_it_was(
    table: AccuracyTable, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.csv"
    table.write(path)
    back = read_table(path)
    assert back.architectures == table.architectures
    for field in ("accuracies", "parameters", "flops", "training_seconds", "seed_accuracies"):
        np.testing.assert_array_equal(getattr(back, field), getattr(table, field))


def test_column_of_means_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("architecture,accuracy\na,90.25\nb,10.0\n")
    table = read_table(path)
    assert table.accuracies.tolist() == [90.25, 10]
    assert table.parameters is table.flops is table.seed_accuracies is None


def test_columns_mean_what_they_say(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(GOOD)
    table = read_table(path)
    assert table.architectures == ("|a~0|+b", "c")
    assert table.parameters.tolist() == [10, 20]
    assert table.flops.tolist() == [200, 400]
    assert table.training_seconds.tolist() == [1.5, 2.5]
    assert table.seed_accuracies.tolist() == [[50, 60], [70, 85.5]]
    assert table.accuracies.tolist() == [55, 77.75]
    table.write(path)
    assert path.read_text() == GOOD


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "is not an accuracy table"),
        ("hello\nworld\n", "is not an accuracy table: its first line is 'hello'"),
        (HEADER + "\n", "holds no architecture"),
        (GOOD.replace(",accuracy_seed_0,accuracy_seed_1", "", 1), "is not an accuracy table"),
        (GOOD.replace("accuracy_seed_1", "accuracy_seed_2"), "is not an accuracy table"),
        (GOOD.replace(",85.5", ""), "line 3: expected 6 columns, got 5"),
        (GOOD.replace(",85.5", ",85.5,1"), "line 3: expected 6 columns, got 7"),
        (GOOD + "\n", "line 4: expected 6 columns, got 0"),
        (GOOD[:-10], "line 3"),
        (GOOD.replace("85.5", "good"), "line 3: could not convert string to float: 'good'"),
        (GOOD.replace(",10,", ",10.5,"), "line 2: invalid literal"),
        (GOOD.replace(",10,", ",-1,"), "line 2: expected costs from 0 up"),
        (GOOD.replace(",10,", f",{2**63},"), "line 2: expected costs from 0 up"),
        (GOOD.replace(",10,", "," + "9" * 5000 + ","), "line 2"),
        (GOOD.replace(",1.5,", ",nan,"), "line 2: expected costs from 0 up"),
        (GOOD.replace("85.5", "nan"), "line 3: expected accuracies from 0 to 100"),
        (GOOD.replace("85.5", "100.1"), "line 3: expected accuracies from 0 to 100"),
        (GOOD.replace("\nc,", "\n|a~0|+b,"), r"holds the architecture '\|a~0\|\+b' 2 times"),
        (GOOD.replace("\nc,", '\n"c,'), "cannot read the accuracy table"),
        (GOOD.replace("\nc,", "\n" + "c" * 200_000 + ","), "cannot read the accuracy table"),
        (GOOD.replace("flops", "flop"), "is not an accuracy table"),
        (GOOD.replace("parameters,flops", "flops,parameters"), "is not an accuracy table"),
        ("architecture,accuracy,accuracy_seed_0\na,1,1\n", "is not an accuracy table"),
        ("architecture,parameters\na,1\n", "is not an accuracy table"),
        (b"\xff\xfe\x00", "cannot read the accuracy table"),
    ],
)
def test_bad_table_is_refused_with_the_line(tmp_path: Path, content: str | bytes, reason: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TaskError, match=reason) as caught:
        read_table(path)
    assert str(path) in str(caught.value)


def test_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"cannot read the accuracy table .*absent\.csv"):
        read_table(tmp_path / "absent.csv")
