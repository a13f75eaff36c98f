import pytest

from eznas import spaces
from eznas.spaces.nds.design import CellDesign, parse_design

# Operations, nodes, and whether only loose ends are concatenated (Radosavovic et al., 2019, section 5).
DEFINITIONS = {
    "nds-amoeba": (8, 5, True),
    "nds-darts": (8, 4, False),
    "nds-enas": (5, 5, True),
    "nds-nasnet": (13, 5, True),
    "nds-pnas": (8, 5, False),
}


def loose_ends(cell: CellDesign) -> tuple[int, ...]:
    read = {edge.source for edge in cell.edges}
    return tuple(node for node in range(2, 2 + cell.nodes) if node not in read)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_samples_are_of_the_published_space(name: str) -> None:
    operations, nodes, loose = DEFINITIONS[name]
    designs = [parse_design(text) for text in spaces.get(name).sample(300, seed=1)]
    cells = [cell for design in designs for cell in (design.normal, design.reduce)]
    assert len({edge.operation for cell in cells for edge in cell.edges}) == operations
    assert {cell.nodes for cell in cells} == {nodes}
    assert {design.width for design in designs} == {16, 24, 32}
    assert {design.depth for design in designs} == {4, 8, 12, 16, 20}
    for cell in cells:
        assert cell.concatenation == (loose_ends(cell) if loose else tuple(range(2, 2 + nodes)))


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_node_may_read_everything_before_it(name: str) -> None:
    designs = [parse_design(text) for text in spaces.get(name).sample(300, seed=2)]
    for node in range(DEFINITIONS[name][1]):
        read = {design.normal.edges[2 * node + either].source for design in designs for either in (0, 1)}
        assert read == set(range(node + 2))


def test_samples_are_distinct_and_decided_by_the_seed() -> None:
    space = spaces.get("nds-darts")
    drawn = space.sample(50, seed=3)
    assert len(set(drawn)) == 50
    assert drawn == space.sample(50, seed=3)
    assert drawn[:20] == space.sample(20, seed=3)
    assert not set(drawn) & set(space.sample(50, seed=4))
    assert space.sample(0) == []


def test_stem_changes_nothing_about_the_samples() -> None:
    assert spaces.get("nds-pnas-in").sample(5, seed=6) == spaces.get("nds-pnas").sample(5, seed=6)
