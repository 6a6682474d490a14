"""Forty drawn pictures of two characters whose looks are known."""

from __future__ import annotations

from pathlib import Path

from lib_extend.sketch.folder import save_scene
from lib_extend.sketch.scene_layout import random_scene
from lib_extend.sketch.scenes import scene_rng

HOSHI, TSUKI = "hoshi_(sketch)", "tsuki_(sketch)"
ALONE = 18
LOOKS = {
    HOSHI: {"pink hair", "long hair", "twintails", "blue eyes"},
    TSUKI: {"black hair", "long hair", "yellow eyes", "cat ears"},
}


def draw(root: Path) -> None:
    """18 pictures of either character alone, and four of both."""
    wanted = {(HOSHI,): ALONE, (TSUKI,): ALONE, (HOSHI, TSUKI): 4}
    index = 0
    while any(wanted.values()):
        rng = scene_rng("draw", 7, index)
        people = 2 if not wanted[HOSHI,] and not wanted[TSUKI,] else 1
        scene = random_scene(rng, (people, people))
        shown = tuple(sorted(c.name for c in scene.persons))
        if wanted.get(shown, 0):
            wanted[shown] -= 1
            kind = "both" if people == 2 else shown[0][:5]
            save_scene(scene, root / f"{kind}_{index:05d}.png", 320, rng)
        index += 1
