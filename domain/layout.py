"""The recursive X-Y cut: pieces of a page into reading order, by the white space between them.

Nagy and Seth, Hierarchical Representation of Optically Scanned Documents (1984). Where to cut is for the caller to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Leaf = TypeVar("Leaf")
Span = tuple[float, float]


def xy_cut(
    items: list[Item],
    split: Callable[[list[Item]], list[list[Item]]],
    leaf: Callable[[list[Item]], list[Leaf]],
    depth: int = 50,
) -> list[Leaf]:
    """Return what `leaf` makes of the parts that `split` does not cut further, one part after the other.

    `split` returns parts in reading order, one or none where there is nothing to cut; at most `depth` cuts are nested.
    """
    parts = split(items) if len(items) > 1 and depth else []
    if len(parts) < 2:
        return leaf(items)
    return [piece for part in parts for piece in xy_cut(part, split, leaf, depth - 1)]


def gaps(spans: Iterable[Span]) -> list[Span]:
    """Return (width, end) of each stretch that no span covers, between the first and the last."""
    found: list[Span] = []
    reach = float("-inf")
    for start, end in sorted(spans):
        if reach > float("-inf") and start > reach:
            found.append((start - reach, start))
        reach = max(reach, end)
    return found


def groups(items: Iterable[Item], span: Callable[[Item], Span], least: float) -> list[list[Item]]:
    """Return `items` in the order of their spans, cut at each gap wider than `least`."""
    ordered = sorted(items, key=lambda item: span(item)[0])
    cuts = [end for width, end in gaps(map(span, ordered)) if width > least]
    edges = [float("-inf"), *cuts, float("inf")]
    return [
        [item for item in ordered if low <= span(item)[0] < high] for low, high in zip(edges, edges[1:], strict=False)
    ]
