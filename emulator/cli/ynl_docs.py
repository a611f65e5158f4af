"""What a specification says in words, for those who have its file.

The declarations have names and numbers, no sentences. `--spec FILE` may be a specification of the kernel's
(Documentation/netlink/specs); its documentation of operations and attributes is then told where the kernel's own tool
tells it. Only that is taken from the file, and nothing if there is no file or no PyYAML.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

Doc = str | None


class Docs:
    """The sentences of one file; none of them if it cannot be read."""

    def __init__(self, path: str | None) -> None:
        spec = load(path) if path is not None else {}
        self._operations = {op["name"]: op for op in spec.get("operations", {}).get("list", ())}
        self._sets = {one["name"]: one for one in spec.get("attribute-sets", ())}

    def operation(self, name: str) -> Doc:
        """What the specification says of an operation; None where it says nothing."""
        doc: Doc = self._operations.get(name, {}).get("doc")
        return doc

    def set_of(self, operation: str) -> str:
        """The name of its attribute set; empty if nobody knows."""
        name: str = self._operations.get(operation, {}).get("attribute-set", "")
        return name

    def attribute(self, attributes: str, name: str) -> Doc:
        """Of an attribute of that set; in a subset it can be said anew, or as in the whole set."""
        while attributes in self._sets:
            for attr in self._sets[attributes]["attributes"]:
                if attr["name"] == name and "doc" in attr:
                    doc: str = attr["doc"]
                    return doc
            attributes = self._sets[attributes].get("subset-of", "")
        return None


def load(path: str) -> dict[str, Any]:
    """The file as it stands; empty if that cannot be."""
    try:
        import yaml

        loaded = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (ImportError, OSError, ValueError):
        return {}
    except yaml.YAMLError:
        return {}
    return loaded if isinstance(loaded, dict) else {}
