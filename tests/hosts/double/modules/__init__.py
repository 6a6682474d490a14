"""A small double of the WebUI's `modules`: what an extension may rely on, and nothing else.

Written from the contract as extensions see it (loading order, callbacks, scripts, options, infotext), not from a
WebUI's source. What a generation computes is a picture of one color: there is no model.
"""
