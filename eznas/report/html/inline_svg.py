"""Figures as SVG inside a page: ids of their own, colours of the page, texts in the font of the page."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Final
from xml.etree import ElementTree

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure

_DROPPED: Final = frozenset({"metadata", "style"})
"""Elements of matplotlib's files: dates and tool names, and a style that would reach the whole page."""
_FONT: Final = re.compile(r"font: (?:[\w.]+ )?([\d.]+)px [^;]*")
_REFERENCE: Final = re.compile(r"url\(#([^)]*)\)")
_UNDATED: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}


def inline_svg(
    figure: Figure,
    name: str,
    title: str,
    *,
    colours: Mapping[str, str] | None = None,
    css_class: str = "chart",
    natural_width: bool = False,
) -> Markup:
    """The figure as an `svg` element.

    Args:
        figure: The figure; its background is left out.
        name: Stands before every id, so that no two figures of a page share one.
        title: What the figure shows, for those who cannot see it.
        colours: Colours as matplotlib writes them (`#1f4e9c`), and the CSS values that take their places.
        css_class: Of the element.
        natural_width: Whether the figure keeps its size, where it would otherwise fill its place.
    """
    file = io.StringIO()
    # Without a fixed salt the ids differ each time; the same run should give the same page.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "eznas"}):
        figure.savefig(file, format="svg", metadata=_UNDATED, transparent=True)
    root = ElementTree.fromstring(file.getvalue())
    _simplify(root, name, {} if colours is None else colours)
    width, height = (float(number) for number in root.attrib["viewBox"].split()[2:])
    root.attrib.clear()
    root.attrib.update(
        {
            "class": css_class,
            "viewBox": f"0 0 {width:g} {height:g}",
            "role": "img",
            "aria-labelledby": f"{name}-title",
            "stroke-linejoin": "round",
        }
    )
    if natural_width:
        root.attrib.update({"width": f"{width * 4 / 3:.0f}", "height": f"{height * 4 / 3:.0f}"})
    heading = ElementTree.Element("title", {"id": f"{name}-title"})
    heading.text = title
    root.insert(0, heading)
    # Method html writes no name spaces and closes every element as a page's parser expects it.
    return Markup(ElementTree.tostring(root, encoding="unicode", method="html"))


def _simplify(element: ElementTree.Element, name: str, colours: Mapping[str, str]) -> None:
    """Change tags, ids, references and styles of an element and of everything in it."""
    element.tag = element.tag.rpartition("}")[2]
    element.tail = None
    element.text = (element.text or "").strip()
    for child in list(element):
        if child.tag.rpartition("}")[2] in _DROPPED:
            element.remove(child)
        else:
            _simplify(child, name, colours)
    attributes = dict(element.attrib)
    element.attrib.clear()
    for key, value in attributes.items():
        plain = key.rpartition("}")[2]
        if plain == "id":
            value = f"{name}-{value}"
        elif plain == "href":
            value = f"#{name}-{value.removeprefix('#')}"
        elif plain == "style":
            value = _FONT.sub(r"font-size: \1px", value)
            for colour, replacement in colours.items():
                value = value.replace(colour, replacement)
        element.attrib[plain] = _REFERENCE.sub(rf"url(#{name}-\1)", value)
