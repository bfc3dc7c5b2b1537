"""`make bench`: measures, prints a table, and with `--json FILE` keeps the figures; exit status 1 for a missed goal."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.status import Status
from rich.table import Table

from tests.benchmarks import (
    bench_cdrs,
    bench_charge_points,
    bench_live_status,
    bench_patterns,
    bench_roaming_list,
    bench_select_evse,
    bench_start_up,
    bench_token_table,
    mixed,
)
from tests.benchmarks.measuring import Row, machine, or_why_not, plain

BENCHMARKS: dict[str, Callable[[bool, Callable[[str], None]], list[Row]]] = {
    "select-evse": bench_select_evse.rows,
    "patterns": bench_patterns.rows,
    "roaming-list": bench_roaming_list.rows,
    "charge-points": bench_charge_points.rows,
    "token-table": bench_token_table.rows,
    "cdrs": bench_cdrs.rows,
    "live-status": bench_live_status.rows,
    "mixed": mixed.rows,
    "start-up": bench_start_up.rows,
}


def main() -> int:
    """Run the benchmarks asked for."""
    asked = arguments()
    console = Console(stderr=True)
    facts = machine()
    rows: list[Row] = []
    started = time.monotonic()
    with console.status("…") as status:
        for name in asked.only or BENCHMARKS:
            progress = partial(_tell, status, name)
            rows += or_why_not(name, "", partial(BENCHMARKS[name], asked.quick, progress))
    show(rows, facts, time.monotonic() - started)
    if asked.json:
        asked.json.write_text(json.dumps({"machine": facts, "rows": plain(rows)}, indent=2) + "\n")
    return int(any(row.is_met is False for row in rows))


def _tell(status: Status, name: str, text: str) -> None:
    status.update(f"{name}: {text}")


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter turns and smaller sizes: under five minutes")
    parser.add_argument("--only", action="append", choices=list(BENCHMARKS), help="may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser.parse_args()


def show(rows: list[Row], facts: dict[str, object], seconds: float) -> None:
    """Print the table, and where it was measured."""
    table = Table("what", "figure", "min … max", "ratios", "memory", "goal", box=None, pad_edge=False)
    for row in rows:
        table.add_row(
            row.what,
            f"{figure(row.median)} {row.unit}",
            f"{figure(row.low)} … {figure(row.high)}",
            "\n".join(f"{figure(value)} × {name.partition(', ')[0]}" for name, value in row.ratios.items()),
            memory(row),
            f"{row.goal} {MARKS[row.is_met]}",
        )
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    for row in rows:
        if row.notes:
            console.print(f"[dim]{row.what}: {row.notes}[/dim]")
    console.print(f"[dim]{', '.join(f'{name} {value}' for name, value in facts.items())}; {seconds:.0f} s[/dim]")


MARKS = {None: "", True: "[green]met[/green]", False: "[red]missed[/red]"}


def memory(row: Row) -> str:
    """The most that was held, and what of it an idle role does not hold."""
    grown = "" if row.grown is None else f" (+{row.grown:.0f})"
    return "" if row.peak_memory is None else f"{row.peak_memory:.0f} MB{grown}"


def figure(value: float | None) -> str:
    """A number with as many digits as mean something."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
