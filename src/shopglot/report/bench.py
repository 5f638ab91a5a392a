"""What `shopglot bench` measured, as a table for the terminal."""

from rich.table import Table

from shopglot.pack.bench import Bench


def bench_table(measured: Bench) -> Table:
    """Return the figures, with what they were measured on."""
    table = Table(title=f"{measured.bundle} on {measured.cores} cores of {measured.processor}")
    table.add_column("")
    table.add_column("", justify="right")
    rows = {
        f"pairs a second, {measured.pairs:,} distinct pairs of {measured.queries:,} queries and "
        f"{measured.targets:,} targets": f"{measured.pairs_per_second:,.1f}",
        **{
            f"a request of {measured.candidates} candidates, {name} of {measured.requests}": f"{value:,.1f} ms"
            for name, value in (("p50", measured.p50_ms), ("p95", measured.p95_ms), ("p99", measured.p99_ms))
        },
        "loading": f"{measured.load_seconds:.1f} s",
        "memory once loaded": f"{measured.loaded_mib:,.0f} MiB",
        "highest memory": f"{measured.peak_mib:,.0f} MiB",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table
