"""Headers and footers: what they say besides the number of the page."""

from __future__ import annotations

MOST_LETTERS = 10
"""Most letters of the words around a page number, as in "Seite 3 von 8"."""


def is_page_number(text: str) -> bool:
    """Tell whether a header or footer says nothing once its page numbers, which fields put there, are left out.

    Example:
        >>> is_page_number("Page  of "), is_page_number("第页 共页"), is_page_number("Contract HX-4410")
        (True, True, False)
    """
    return not any(map(str.isdigit, text)) and sum(map(str.isalpha, text)) <= MOST_LETTERS
