"""How a daemon's log is written: in lines for people, or as one JSON object a line for programs."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

FORMATS = ("text", "json")


class JsonLines(logging.Formatter):
    """time: when, in UTC; level; event: what, as text; where: the module; fields: what the record brings besides;
    exception: a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        line: dict[str, Any] = {
            "time": when.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "where": record.name.removeprefix("nlemu.emulator."),
        }
        fields = getattr(record, "fields", None)
        if fields:
            line["fields"] = fields
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def announce(form: str, event: str, **fields: str) -> None:
    """Tells whoever has started the daemon how far it is."""
    if form == "json":
        logging.getLogger("nlemu").info(event, extra={"fields": fields})
    else:
        print("nlemu:", event, *fields.values(), file=sys.stderr, flush=True)


def begin(form: str, *, verbose: bool) -> None:
    """From now on the log goes to standard error in that form; verbose: every message too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else logging.Formatter("nlemu: %(levelname)s: %(message)s"))
    level = logging.DEBUG if verbose else logging.INFO if form == "json" else logging.WARNING
    logging.basicConfig(level=level, handlers=[handler])
