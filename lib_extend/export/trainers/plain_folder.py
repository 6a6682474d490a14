"""A folder of pictures and captions for any trainer, in the form that all of them read."""

from lib_extend.export.trainer import Trainer

TRAINER = Trainer(
    name="folder",
    title="a trainer",
    crop_numbers=True,
)
