"""The recorded traces are all there, and the table of them is complete."""

from fixtures import TRACES, traces


def test_every_trace_is_in_the_table() -> None:
    table = (TRACES.parent / "README.md").read_text(encoding="utf-8")
    listed = [line.split("|")[1].strip() for line in table.splitlines() if line.count("|") == 3]
    assert [path.stem for path in traces()] == [name for name in listed if name[1:3].isdigit()]


def areas() -> list[str]:
    """The letters of the table of areas."""
    table = (TRACES.parent / "README.md").read_text(encoding="utf-8").split("| area | about |")[1].split("\n\n")[0]
    return [line.split("|")[1].strip() for line in table.splitlines() if line.count("|") == 3][1:]


def test_areas_partition_the_traces() -> None:
    assert sorted(path for area in areas() for path in traces(area)) == traces()
    assert {path.name for path in [*traces("q0"), *traces("q1")]} == {path.name for path in traces("q")}
