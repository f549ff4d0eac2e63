"""Straightens the structure tree that WeasyPrint writes: fewer nodes, the same reading order.

HTML wrappers become NonStruct and Div elements that hold nothing of their own; a 20-child worksheet
has 2,600 of them. They are dissolved into their parents, and object references (OBJR) move inside
the Form element that holds them. Also prepares the parent tree for pages that are added later.
"""

from collections.abc import Iterator
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf

_WRAPPERS: Final = (Name.NonStruct, Name.Div)
_OWN: Final = ("/A", "/Alt", "/ActualText", "/ID", "/Lang", "/T")  # what makes a wrapper worth keeping


def straighten(pdf: Pdf) -> None:
    """Dissolve empty wrappers and inline object references, for the whole tree."""
    _straighten(pdf.Root.StructTreeRoot.K[0])


def _straighten(element: pikepdf.Object) -> None:
    kids = list(_dissolved(element))
    for kid in kids:
        if _is_element(kid):
            kid.P = element
    element.K = Array([_inlined(kid) for kid in kids])


def _dissolved(element: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """The element's kids, with wrappers replaced by what they hold."""
    kids = element.get(Name.K, Array())
    for kid in kids if isinstance(kids, Array) else [kids]:
        if not _is_element(kid):
            yield kid
            continue
        _straighten(kid)
        held = list(kid.get(Name.K, Array()))
        if kid.S in _WRAPPERS and not any(name in kid for name in _OWN) and all(map(_is_element, held)):
            yield from held
        else:
            yield kid


def _is_element(kid: object) -> bool:
    return isinstance(kid, Dictionary) and kid.get(Name.S) is not None


def _inlined(kid: pikepdf.Object) -> pikepdf.Object:
    if isinstance(kid, Dictionary) and kid.get(Name.Type) == Name.OBJR:
        return Dictionary(Type=Name.OBJR, Obj=kid.Obj, Pg=kid.Pg)
    return kid


def split_parent_tree(pdf: Pdf) -> None:
    """All parents so far in one leaf, so that a filled form adds a second leaf and rewrites nothing."""
    root = pdf.Root.StructTreeRoot
    numbers = root.ParentTree.Nums
    last = int(numbers[len(numbers) - 2])
    leaf = pdf.make_indirect(Dictionary(Limits=Array([0, last]), Nums=numbers))
    root.ParentTree = pdf.make_indirect(Dictionary(Kids=Array([leaf])))
