"""Writes aiperf-0.13.0.txt: what aiperf's registry says of its metrics.

Run it with the Python that aiperf is installed for:

    python make_aiperf_table.py > aiperf-0.13.0.txt

A line is tag|header|unit as shown|table|larger. The table is the console's:
default, usage, http, or none for what it does not show.
"""

import aiperf.metrics.types  # noqa: F401  (fills the registry)
from aiperf.common.enums import MetricFlags
from aiperf.metrics.metric_registry import MetricRegistry

HIDDEN = (MetricFlags.ERROR_ONLY, MetricFlags.INTERNAL, MetricFlags.EXPERIMENTAL)

for tag in sorted(MetricRegistry.all_tags()):
    m = MetricRegistry.get_class(tag)
    table = str(m.console_group)
    if MetricFlags.HTTP_TRACE_ONLY in m.flags:
        table = "http"
    elif any(f in m.flags for f in HIDDEN):
        table = "none"
    larger = "larger" if MetricFlags.LARGER_IS_BETTER in m.flags else ""
    print("|".join([tag, m.header, str(m.display_unit or m.unit), table, larger]))
