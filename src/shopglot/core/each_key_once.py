"""YAML as its own rules have it."""

from collections.abc import Hashable
from typing import Any, Final

import yaml


class EachKeyOnce(yaml.SafeLoader):
    """YAML says that keys are unique; the library would take the last of two and say nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return the mapping; raises ConstructorError for a key that stands in it twice."""
        keys = [key for key, _ in node.value]
        for number, key in enumerate(keys):
            if key.value in [earlier.value for earlier in keys[:number]]:
                raise yaml.constructor.ConstructorError(problem=f"key {key.value!r} again", problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


NOT_YAML: Final = (yaml.YAMLError, ValueError, RecursionError)
"""What reading YAML raises: for its form, for numbers, dates and bytes that are none, and for what nests too deeply."""
