"""A folder of pictures and captions for any trainer: what all of them read in one way."""

from lib_extend.export.trainer import Trainer

TRAINER = Trainer(
    name="folder",
    title="a trainer",
    crop_numbers=True,
)
