"""From a user's prompt to an expander and back: fields, what must not come, and the function that does it."""
