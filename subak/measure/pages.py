"""`subak measure pages`: one page of documentation a measure, from the docstring of its module and its units."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from processors.signals.measures import MEASURES


def page(name: str, module: ModuleType) -> str:
    """The page of one measure."""
    title, _, rest = (module.__doc__ or "").partition("\n\n")
    units = "\n".join(f"| `{figure}` | {unit} |" for figure, unit in module.UNITS.items() if "@" not in figure)
    table = f"\n\n| name | unit |\n|---|---|\n{units}" if units else ""
    return f"# {name.replace('_', ' ').capitalize()}\n\n{title.strip()}\n\n{rest.strip()}{table}\n"


def pages() -> dict[str, str]:
    """File name to text, the list of all first."""
    rows = [f"* [{name.replace('_', ' ')}]({name}.md)" for name in MEASURES]
    lead = (
        "# Signal measures\n\nFrom hi-res controller events, per 15 minutes and, where it makes sense, per cycle; live and over history "
        "the same rows. In the database: `analytics.signal_measures`, `signal_cycles`, `signal_intervals`. From files: "
        "`subak measure signals`. Parameters: `config/thresholds/signals.yaml`; names of event codes: `config/norms/indiana.yaml`; "
        "detectors: `controllers.yaml` of the site. These pages are written by `subak measure pages`.\n\n"
        "**Quality.** `good`: the log of the bin is whole. `partial`: a part of the log, or an edge, is missing and was repaired by the "
        "rule of the measure. `suspect(stuck_on)`, `suspect(fault)`: counts of a detector that is not to be believed. "
        "`missing(device)`, `missing(stuck_on)`, `missing(fault)`, `missing(detector)`: there is no value. "
        "`imputed(press_model)`: an estimate.\n\n"
        "**When.** Rows are given out 30 s after the end of their bin (longer with detectors of longer latency), each once, and again "
        "with a higher revision when late events change them. A configuration takes effect at the first bin that begins with its "
        "`valid_from` or later.\n\n"
    )
    return {"README.md": lead + "\n".join(rows) + "\n"} | {f"{name}.md": page(name, module) for name, module in MEASURES.items()}


def write(folder: Path) -> int:
    """Write all pages; the number of those that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = 0
    for name, text in pages().items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed += 1
    return changed
