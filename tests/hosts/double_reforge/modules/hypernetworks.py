"""reForge has kept hypernetworks, Forge classic has not: that tells them apart."""
