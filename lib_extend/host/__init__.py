"""All code that touches a WebUI. Only this folder and `scripts/` import `modules.*`, and only inside functions."""
