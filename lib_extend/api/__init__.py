"""The HTTP routes under `/prompt-extend/v1`: the same for the tab, the standalone page and scripts.

`routes.mount` puts them on a FastAPI app. Starlette is imported when that happens, never before.
"""
