"""All that touches a WebUI. `modules.*` is imported inside functions, here and in `scripts/` only."""
