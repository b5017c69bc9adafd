"""Validates Benchmark Reports v0.2 with llm-d's own schema package.

    PYTHONPATH=llm-d-benchmark/llmdbenchmark/analysis python check.py REPORT.json…

Every file is read as the tools of llm-d read it, with unknown fields forbidden, and
has to say the same when it is written again.
"""

import json
import sys

from benchmark_report import BenchmarkReportV02, import_benchmark_report


def same(ours, theirs, at=""):
    """Says where two trees differ; numbers count as equal whatever their type."""
    if isinstance(ours, dict):
        for key, value in ours.items():
            if key not in theirs:
                raise SystemExit(f"{at}/{key} is lost")
            same(value, theirs[key], f"{at}/{key}")
    elif isinstance(ours, (int, float)) and ours != theirs:
        raise SystemExit(f"{at}: {ours} is read as {theirs}")


for path in sys.argv[1:]:
    report = import_benchmark_report(path)
    assert isinstance(report, BenchmarkReportV02), type(report)
    with open(path, encoding="utf-8") as file:
        same(json.load(file)["results"], report.dump()["results"])
    print(path, "is a Benchmark Report", report.version)
