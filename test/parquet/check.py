"""Reads the tables of a run with pyarrow and DuckDB, and holds them against its lines.

    python check.py FOLDER

FOLDER has records.jsonl, records.parquet, telemetry.jsonl and telemetry.parquet of one
run. Both readers have to find the same rows, with the same values.
"""

import datetime
import json
import pathlib
import sys

import duckdb
import pyarrow.parquet

COLUMNS = ["t_s", "time", "phase", "source", "kind", "engine", "of", "name", "value", "error"]


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def rows_of(telemetry):
    """The rows that the lines of telemetry.jsonl come to."""
    head, *rest = telemetry
    for line in rest:
        row = {name: line.get(name) for name in COLUMNS}
        if "source" in line:
            row["source"] = head["sources"][line["source"]]
        for name in sorted(line.get("values") or {}) or [None]:
            yield row | {"name": name, "value": (line.get("values") or {}).get(name)}


def check_telemetry(folder):
    path = str(folder / "telemetry.parquet")
    telemetry = lines(folder / "telemetry.jsonl")
    want = list(rows_of(telemetry))
    arrow = pyarrow.parquet.read_table(path)
    assert sorted(arrow.column_names) == sorted(COLUMNS), arrow.column_names
    got = arrow.to_pylist()
    duck = duckdb.sql(f"select {', '.join(COLUMNS)} from '{path}'").fetchall()
    assert len(want) == len(got) == len(duck), (len(want), len(got), len(duck))
    origin = datetime.datetime.fromisoformat(telemetry[0]["origin"][:26].rstrip("Z") + "+00:00")
    for line, row, also in zip(want, got, duck):
        at = row.pop("time")
        assert abs((at - origin).total_seconds() - line["t_s"]) < 2e-6, (at, line)
        assert row == {name: line[name] for name in row}, (row, line)
        also = dict(zip(COLUMNS, also))
        also.pop("time")
        assert also == row, (also, row)
    metadata = pyarrow.parquet.read_schema(path).metadata
    assert float(metadata[b"interval_s"]) == telemetry[0]["interval_s"], metadata
    return len(want)


def check_records(folder):
    path = str(folder / "records.parquet")
    want = [line for line in lines(folder / "records.jsonl") if "index" in line]
    got = pyarrow.parquet.read_table(path).to_pylist()
    assert len(want) == len(got), (len(want), len(got))
    assert [line["index"] for line in want] == [row["session_num"] for row in got]
    [(count,)] = duckdb.sql(f"select count(*) from '{path}' where time_to_first_token > 0").fetchall()
    assert count == sum(row["outcome"] == "ok" for row in got), count
    return len(got)


where = pathlib.Path(sys.argv[1])
print(f"{check_records(where)} requests and {check_telemetry(where)} rows of telemetry are the same in both readers")
