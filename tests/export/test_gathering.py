import pytest

from eznas.export import ExportError
from eznas.export.gathering import Name, gather, joined, sorted_imports
from eznas_kernels import elementwise, transcendental

KERNELS = "eznas_kernels"


def test_what_a_function_needs_comes_before_it():
    gathered = gather([Name("eznas.ops.reductions", "mean")])
    assert [name.name for name in gathered.definitions] == ["_sum", "mean"]
    assert set(gathered.imports) == {"import torch", "from torch import Tensor"}
    namespace = {}
    exec(sorted_imports(gathered.imports) + "\n" + joined(gathered.definitions.values()), namespace)
    torch = namespace["torch"]
    assert namespace["mean"](torch.tensor([1.0, 3.0])) == 2.0


def test_names_that_two_modules_define_get_their_modules_in_front():
    roots = [Name(elementwise.__name__, "log"), Name(transcendental.__name__, "log")]
    gathered = gather(roots)
    assert [gathered.names[root] for root in roots] == ["elementwise_log", "transcendental_log"]
    text = joined(gathered.definitions.values())
    assert "def elementwise_log(" in text
    assert "transcendental.log" not in text


def test_constants_that_are_equal_everywhere_stay_one():
    names = ("log", "sigmoid")
    gathered = gather(
        [*(Name(f"{KERNELS}.transcendental", name) for name in names), Name(f"{KERNELS}.elementwise", "relu")]
    )
    assert joined(gathered.definitions.values()).count("ZERO = np.float32(0.0)") == 1


def test_reserved_names_are_not_taken():
    gathered = gather([Name("eznas.ops.elementwise", "add")], reserved=["add"])
    assert "def elementwise_add(" in joined(gathered.definitions.values())


def test_what_is_provided_is_not_gathered():
    policy = Name(f"{KERNELS}.policy", "scalar")
    gathered = gather([Name(f"{KERNELS}.elementwise", "add")], provided={policy: "fast"})
    assert "@fast" in gathered.definitions[Name(f"{KERNELS}.elementwise", "add")]
    assert policy not in gathered.definitions


def test_an_unknown_name_is_refused():
    with pytest.raises(ExportError, match=r"eznas\.ops\.elementwise to define nothing"):
        gather([Name("eznas.ops.elementwise", "nothing")])
