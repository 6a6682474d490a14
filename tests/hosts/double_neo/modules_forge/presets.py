"""neo has presets for each kind of model: that it has them tells it from Forge."""
