"""`python -m benchmarks NAME [options]`: each prints a readable table and one line of JSON, and ends with 1 below a bar."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from benchmarks import bookings, console, corpora, inbound, kills, pages, simulate, switch, throughput

BENCHMARKS = {
    "kills": kills,
    "throughput": throughput,
    "switch": switch,
    "pages": pages,
    "console": console,
    "bookings": bookings,
    "simulate": simulate,
    "inbound": inbound,
    "corpora": corpora,
}


def main() -> int:
    """Run one benchmark, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Onward on local servers.")
    names = parser.add_subparsers(dest="name", metavar="NAME")
    for name, module in BENCHMARKS.items():
        module.options(names.add_parser(name, help=(module.__doc__ or "").splitlines()[0]))
    given = parser.parse_args()
    if given.name is not None:
        return asyncio.run(BENCHMARKS[given.name].run(given))
    codes = []
    for name in BENCHMARKS:
        defaults = parser.parse_args([name])
        codes.append(asyncio.run(BENCHMARKS[name].run(defaults)))
    return max(codes)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the Temporal SDK can crash at interpreter exit (sdk-python #300)
