"""Texts that clients send."""

from typing import Annotated

from pydantic import AfterValidator


def _whole(text: str) -> str:
    """Return the text; JSON can hold half a character, a lone surrogate, which no model and no answer can."""
    try:
        text.encode()
    except UnicodeEncodeError as broken:
        raise ValueError("the text holds half of a character, a lone surrogate") from broken
    return text


Text = Annotated[str, AfterValidator(_whole)]
