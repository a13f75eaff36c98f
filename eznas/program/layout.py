"""A tidy layout of trees after Reingold and Tilford (1981), for nodes of any widths, without recursion."""

from __future__ import annotations

from collections.abc import Sequence


def tidy_centres(children: Sequence[tuple[int, ...]], widths: Sequence[float], gap: float) -> list[float]:
    """The horizontal centre of every node, in the unit of `widths`; the leftmost edge of the tree is at 0.

    Children stand in order, parents over the middle of their outer children, equal subtrees look equal,
    and nodes of one level keep at least `gap` between them.

    Args:
        children: For each node the indices of its children, all higher than its own; node 0 is the root.
        widths: The width of each node.
        gap: The least distance between the edges of two nodes of one level.
    """
    offsets = [0.0] * len(children)
    contours: list[_Contour] = [([], [])] * len(children)
    for node in range(len(children) - 1, -1, -1):
        places, (left, right) = _side_by_side([contours[child] for child in children[node]], gap)
        middle = (places[0] + places[-1]) / 2 if places else 0.0
        for child, place in zip(children[node], places, strict=True):
            offsets[child] = place - middle
            contours[child] = ([], [])
        half = widths[node] / 2
        contours[node] = ([edge - middle for edge in left], [edge - middle for edge in right])
        contours[node][0].append(-half)
        contours[node][1].append(half)
    centres = [-min(contours[0][0])] * len(children)
    for node, its_children in enumerate(children):
        for child in its_children:
            centres[child] = centres[node] + offsets[child]
    return centres


def levels(children: Sequence[tuple[int, ...]]) -> list[int]:
    """The distance of every node from the root."""
    distances = [0] * len(children)
    for node, its_children in enumerate(children):
        for child in its_children:
            distances[child] = distances[node] + 1
    return distances


_Contour = tuple[list[float], list[float]]
"""The left and right edges of a subtree around its root's centre, level by level, the root's level last."""


def _side_by_side(contours: Sequence[_Contour], gap: float) -> tuple[list[float], _Contour]:
    """The places of subtrees from left to right, as close as they go, and the edges of them all together."""
    places: list[float] = []
    left: list[float] = []
    right: list[float] = []
    for its_left, its_right in contours:
        common = min(len(right), len(its_left))
        place = max((right[-k] - its_left[-k] + gap for k in range(1, common + 1)), default=0.0)
        places.append(place)
        own_left = [edge + place for edge in its_left]
        own_right = [edge + place for edge in its_right]
        left = own_left[: len(own_left) - common] + left
        right = right[: len(right) - common] + own_right
    return places, (left, right)
