"""Correct findings of the lint: all corrections of one code are one run, which can be undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lib_extend.captions.editing import Style
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import Message
from lib_extend.export.lint_finding import Finding
from lib_extend.export.linting import LintOptions, LintReport, lint, rules
from lib_extend.files.caption_forms import find
from lib_extend.jobs.edit_runs import edit_captions, style_of_dataset

ALL = "all"
NO_MEND = Message("no_mend", "Nothing is found that {finding} mends here: these can be mended: {codes}.")


@dataclass(frozen=True)
class Mended:
    """What one mend did. `run` is None where nothing changed; `failed` are (caption, reason) of those left as they are."""

    code: str
    run: int | None
    changed: int
    failed: tuple[tuple[str, str], ...] = ()
    stopped: bool = False

    def to_json(self) -> dict[str, Any]:
        failures = [{"name": name, "reason": reason} for name, reason in self.failed]
        return {
            "code": self.code,
            "run": self.run,
            "changed": self.changed,
            "failures": failures,
            "stopped": self.stopped,
        }


def mend(
    dataset: Dataset,
    options: LintOptions,
    codes: Sequence[str],
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Mended]:
    """Correct the findings with these codes; "all" means every finding with a correction.

    Each code is checked again first, because an earlier correction may have changed its captions.

    Raises:
        UserError: nothing that can be mended has such a code, or a job is running on the folder.
        StorageError: the disk is full; finished work is kept and can be undone.
    """
    report = lint(dataset, options, stopped=stop)
    mendable = list(dict.fromkeys(f.code for f in report.findings if f.mend))
    chosen = mendable if ALL in codes else list(dict.fromkeys(codes))
    for code in chosen:
        if code not in mendable:
            raise NO_MEND.error(finding=code, codes=", ".join(mendable) or "none", field="codes")
    style = style_of_dataset(dataset)
    done: list[Mended] = []
    for code in chosen:
        if done and done[-1].changed:
            report = lint(dataset, options, stopped=stop)
        done.append(_mended(dataset, report, code, style, progress, stop))
        if done[-1].stopped:
            break
    return done


def _mended(
    dataset: Dataset,
    report: LintReport,
    code: str,
    style: Style,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
) -> Mended:
    findings = [f for f in report.findings if f.code == code and f.mend]
    names = dict.fromkeys(find(dataset.root, spot.name) for f in findings for spot in f.spots)
    if not names:
        return Mended(code, None, 0)
    options = report.options
    what = {
        "action": "mend",
        "codes": [code],
        **({"trigger": options.trigger} if options.trigger else {}),
        "images": len(names),
    }
    edited = edit_captions(
        dataset,
        list(names),
        lambda text, style: _changed(findings, text, style),
        what,
        style=style,
        reencode=any(f.mend and f.mend.reencode for f in findings),
        progress=progress,
        stop=stop,
    )
    run = edited.run if edited.changed or edited.failed else None
    return Mended(code, run, len(edited.changed), edited.failed, edited.stopped)


def _changed(findings: Sequence[Finding], text: str, style: Style) -> str:
    for finding in findings:
        if finding.mend:
            text = finding.mend.change(text, style)
    return text


def rule_rows() -> list[dict[str, str]]:
    """What the lint looks for, as JSON values."""
    return [{"code": r.code, "title": r.title} for r in rules()]
