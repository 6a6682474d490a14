"""Drawn scenes with known truth, and the small built-in models trained on them.

`scenes` and `layout` decide what is in a picture, `draw` paints it, `folder` writes folders with
`truth.jsonl`, `samples` the sample folder, `scores` measures answers against the truth. None of
these needs torch; only the modules that train (`tagger_…`, `vlm_…`) import it.

The models know drawn scenes only. They exist so that the real code runs on a fresh machine without a
network; for real pictures use real models.
"""
