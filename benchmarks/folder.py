"""Tagging a folder: our pipeline against a plain loop, over the same pictures, in the same run.

    python -m benchmarks folder [--json] [--count 100] [--rounds 3] [--pictures DIR]

The loop opens a picture with Pillow, lays it over white, pads it to a square, shrinks it bicubically and runs
the tagger, one picture after the other. Ours decodes what is needed in threads and tags in batches. Both are
timed with an *emulated accelerator* (a session that sleeps 1.5 ms a picture and 3 ms a call and uses no CPU:
what a fast graphics card leaves to measure) and with the built-in sketch tagger on this machine's CPU.

Two more rows compare a whole job, from the plan to the caption files, with the pipeline alone (decoding and tagging
in one process, nothing stored or written), where the tagger names 160 and 2,400 tags a picture above the score floor.
The worker's process is there already: starting it costs once what it costs.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks._accelerator import emulated_tagger
from lib_extend.analysis.making import Picture, Workplace
from lib_extend.analysis.pipeline import NotAnalysed, Outcome, Pipeline, cores
from lib_extend.config import TagConfig
from lib_extend.datasets.dataset import Dataset
from lib_extend.errors import PromptExtendError
from lib_extend.jobs import job_events
from lib_extend.jobs.tagging import TagJob
from lib_extend.models.images import pad_square
from lib_extend.models.ports import Tagger
from lib_extend.parts.part_table import makers
from lib_extend.records import SCORE_FLOOR, Tag
from lib_extend.worker.client import WorkerClient

SIDE = 448
BATCH = 8
SECONDS_AN_IMAGE, SECONDS_A_CALL = 0.0015, 0.003
TAGS = (160, 2400)
"""Tags a picture above the score floor: of a usual tagger, and of one with 70,000 labels."""
KINDS = ("jpg",) * 12 + ("png",) * 5 + ("webp",) * 3  # of 20: 60 %, 25 %, 15 %

JOB = TagConfig(tagger="emulated", vlm="none")

Array = np.ndarray[Any, Any]


@dataclass
class EmulatedAccelerator:
    """A tagger in WD's layout whose model only sleeps."""

    batch: int = BATCH
    side: int = SIDE
    key: str = "emulated"
    device: str = "emulated"
    threshold: float = 0.35
    character_threshold: float = 0.85
    tag_thresholds: dict[str, float] = field(default_factory=dict)

    def prepare(self, image: Image.Image) -> Array:
        return np.asarray(pad_square(image, self.side))[:, :, ::-1].astype(np.float32)

    def tag(self, batch: Sequence[Array], floor: float) -> list[list[Tag]]:
        stacked = np.stack(batch)
        time.sleep(SECONDS_A_CALL + SECONDS_AN_IMAGE * len(stacked))
        return [[] for _ in stacked]

    def close(self) -> None: ...


def reference_input(path: Path, side: int) -> Array:
    """The reference preprocessing: whole picture over white, padded to a white square, bicubic, BGR."""
    with Image.open(path) as image:
        if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
            over = image.convert("RGBA")
            flat = Image.new("RGB", over.size, (255, 255, 255))
            flat.paste(over, mask=over.getchannel("A"))
        else:
            flat = image.convert("RGB")
    longer = max(flat.size)
    padded = Image.new("RGB", (longer, longer), (255, 255, 255))
    padded.paste(flat, ((longer - flat.width) // 2, (longer - flat.height) // 2))
    small = padded.resize((side, side), Image.Resampling.BICUBIC)
    return np.ascontiguousarray(np.asarray(small)[:, :, ::-1], dtype=np.float32)


def reference(paths: Sequence[Path], tagger: Tagger) -> float:
    """Seconds the plain loop takes."""
    began = time.perf_counter()
    for path in paths:
        tagger.tag([reference_input(path, tagger.side)], SCORE_FLOOR)
    return time.perf_counter() - began


def ours(paths: Sequence[Path], tagger: Tagger) -> float:
    """Seconds the pipeline takes."""
    results: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    began = time.perf_counter()
    pipeline = Pipeline(makers(Workplace(tagger=tagger)), results.put)
    for i, path in enumerate(paths):
        pipeline.submit(Picture(str(i), str(path), frozenset(("tags",))))
    for _ in paths:
        result = results.get()
        if isinstance(result, NotAnalysed):
            raise PromptExtendError(result.reason)
    seconds = time.perf_counter() - began
    pipeline.close()
    return seconds


class StandingClient(WorkerClient):
    """A worker that outlives the job which it works for."""

    def close(self, timeout: float = 5.0) -> None: ...

    def end(self) -> None:
        super().close(0.0)


def whole_job(paths: Sequence[Path], client: StandingClient) -> float:
    """Seconds of a job over a fresh folder with the pictures, from the plan to the last caption."""
    with tempfile.TemporaryDirectory(dir=paths[0].parent) as folder:
        for path in paths:
            os.link(path, Path(folder) / path.name)
        began = time.perf_counter()
        for event in TagJob(Dataset(Path(folder)), JOB, client=lambda: client).events():
            if isinstance(event, job_events.Failed):
                raise PromptExtendError(event.reason)
        seconds = time.perf_counter() - began
        written = len(list(Path(folder).glob("*.txt")))
        if written != len(paths):
            raise PromptExtendError(f"{written} of {len(paths)} captions were written.")
    return seconds


def compare_jobs(paths: Sequence[Path], tags: int, rounds: int) -> dict[str, float]:
    """Images a second of a whole job and of the pipeline alone, medians of rounds that take turns."""
    client = StandingClient([sys.executable, "-m", "benchmarks._accelerator", str(tags)])
    tagger = emulated_tagger(tags)
    times: dict[str, list[float]] = {"job": [], "alone": []}
    try:
        whole_job(paths[:2], client)
        for _ in range(rounds):
            times["job"].append(whole_job(paths, client))
            times["alone"].append(ours(paths, tagger))
    finally:
        client.end()
    speed = {name: len(paths) / statistics.median(t) for name, t in times.items()}
    return {
        "images_per_second": round(speed["job"], 2),
        "pipeline_images_per_second": round(speed["alone"], 2),
        "ratio": round(speed["job"] / speed["alone"], 3),
    }


def compare(paths: Sequence[Path], tagger: Tagger, rounds: int) -> dict[str, float]:
    """Images a second of both, the median of rounds that take turns, so that a busy machine slows both."""
    times: dict[str, list[float]] = {"ours": [], "reference": []}
    for _ in range(rounds):
        times["ours"].append(ours(paths, tagger))
        times["reference"].append(reference(paths, tagger))
    speed = {name: len(paths) / statistics.median(t) for name, t in times.items()}
    return {
        "ours_images_per_second": round(speed["ours"], 2),
        "reference_images_per_second": round(speed["reference"], 2),
        "ratio": round(speed["ours"] / speed["reference"], 3),
    }


def difference(paths: Sequence[Path], tagger: Tagger) -> float:
    """Mean absolute difference of our inputs to the reference's, of 255."""
    from lib_extend.analysis.decode import decode

    each = []
    for path in paths:
        prepared = tagger.prepare(decode(str(path), side=tagger.side).image)
        each.append(float(np.abs(prepared - reference_input(path, tagger.side)).mean()))
    return round(statistics.fmean(each), 3)


def make_pictures(folder: Path, count: int, seed: int = 1) -> list[Path]:
    """`count` pictures of 1,000 to 3,000 pixels a side in `folder`; those that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for i in range(count):
        # Kinds are spread, so that any part of the folder has its share of each.
        path = folder / f"{seed}-{i:04}.{KINDS[i * 7 % len(KINDS)]}"
        paths.append(path)
        if not path.exists():
            half = path.with_name(f"half-{path.name}")
            picture(np.random.default_rng((seed, i))).save(half, quality=90)
            half.replace(path)
    return paths


def picture(rng: np.random.Generator) -> Image.Image:
    """Soft areas, hard edges and a little grain, as in a drawing with a photo's texture."""
    width, height = (int(n) for n in rng.integers(1000, 3001, 2))
    soft = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    for _ in range(40):
        w, h = (int(n) for n in rng.integers(20, 500, 2))
        at = (int(rng.integers(-w, width)), int(rng.integers(-h, height)))
        soft.paste(tuple(int(c) for c in rng.integers(0, 256, 3)), (*at, at[0] + w, at[1] + h))
    grain = rng.integers(-3, 4, (height, width, 1), np.int16)
    return Image.fromarray(np.clip(np.asarray(soft, np.int16) + grain, 0, 255).astype(np.uint8))


def sketch_tagger() -> Tagger | None:
    """The built-in tagger on the CPU; None where its weights are not there."""
    from lib_extend.models.model_loading import load_tagger

    try:
        return load_tagger("sketch", device="cpu", offline=True)
    except PromptExtendError as error:
        print(f"No real inference: {error}", file=sys.stderr)
        return None


def inference(paths: Sequence[Path], rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Our pipeline against the plain loop: measured, printed and returned."""
    emulated = EmulatedAccelerator()
    say("Emulated accelerator …")
    report: dict[str, Any] = compare(paths, emulated, rounds)
    report["mean_pixel_difference"] = difference(paths[:20], emulated)
    rows = [("emulated accelerator", report)]
    tagger = sketch_tagger()
    if tagger is not None:
        say(f"The sketch tagger on {tagger.device} …")
        real = compare(paths, tagger, rounds)
        report.update({f"real_{name}": value for name, value in real.items()})
        rows.append((f"sketch tagger, {tagger.device}", real))
        tagger.close()
    print(f"{'images a second':<28}{'ours':>10}{'plain loop':>12}{'ratio':>8}")
    for name, row in rows:
        numbers = row["ours_images_per_second"], row["reference_images_per_second"], row["ratio"]
        print(f"{name:<28}{numbers[0]:>10.1f}{numbers[1]:>12.1f}{numbers[2]:>7.2f}×")
    print(f"mean pixel difference {report['mean_pixel_difference']} of 255")
    return report


def jobs(paths: Sequence[Path], rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Whole jobs against the pipeline alone: measured, printed and returned by the number of tags a picture."""
    report = {}
    print(f"{'images a second':<28}{'whole job':>10}{'pipeline':>12}{'ratio':>8}")
    for tags in TAGS:
        say(f"A whole job, {tags:,} tags a picture …")
        row = report[str(tags)] = compare_jobs(paths, tags, rounds)
        numbers = row["images_per_second"], row["pipeline_images_per_second"], row["ratio"]
        print(f"{f'{tags:,} tags a picture':<28}{numbers[0]:>10.1f}{numbers[1]:>12.1f}{numbers[2]:>7.2f}×")
    return report


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; 0 when it ran."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks folder", description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    parser.add_argument("--count", type=int, default=100, help="pictures (default: 100)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="rounds, of which the median counts (default: 3)"
    )
    parser.add_argument("--jobs", action="store_true", help="only the rows of whole jobs")
    parser.add_argument(
        "--pictures", type=Path, help="folder to make the pictures in, and find them next time"
    )
    args = parser.parse_args(argv)
    folder = args.pictures or Path(tempfile.gettempdir()) / "prompt-extend-benchmark"
    say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731
    say(f"Making {args.count} pictures in {folder} …")
    paths = make_pictures(folder, args.count)
    for path in paths:
        path.read_bytes()  # the disk is not what is measured

    report: dict[str, Any] = {}
    if not args.jobs:
        report = inference(paths, args.rounds, say)
    report["jobs"] = jobs(paths, args.rounds, say)
    report.update(
        images=len(paths), cores=cores(), load=round(os.getloadavg()[0], 2) if os.name == "posix" else None
    )
    print(f"{len(paths)} pictures, {cores()} cores")
    if args.json:
        print(json.dumps(report))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
