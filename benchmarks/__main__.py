"""Runs every benchmark and writes what they print into `benchmarks/results.md`: `python -m benchmarks`."""

import platform
import subprocess
import sys
from pathlib import Path

NAMES = (
    "simulate_speed",
    "prepare_million",
    "deal_folds",
    "report_million",
    "demo",
    "encoder_training",
    "llm_training",
    "llm_scoring",
    "llm_table",
    "llm_transfer",
    "shopify_qc",
    "distill_shopify",
    "new_languages",
    "cascade",
    "hundred_million",
    "request_of_fifty",
    "cross_encoder",
    "pack_speed",
    "zipf_speed",
    "audit_noise",
    "bootstrap_shopify",
    "translation_agreement",
    "translate_cache",
    "translation_dropout",
    "enrich_table",
    "translation_shopify",
    "engine_stream",
    "ray_scoring",
    "serve_load",
    "serve_clients",
    "suggest_shopify",
)


def main() -> None:
    """Run the benchmarks one after the other; one that fails is named in the results."""
    results = [f"# Results\n\nPrinted by `make bench` on {platform.machine()}, Python {platform.python_version()}.\n"]
    for name in NAMES:
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        lines = done.stdout if done.returncode == 0 else done.stderr.splitlines()[-1]
        print(f"{name}\n{lines}", flush=True)
        results.append(f"## {name}\n\n```\n{lines.strip()}\n```\n")
    Path(__file__).with_name("results.md").write_text("\n".join(results), encoding="utf-8")


if __name__ == "__main__":
    main()
