"""The live page: a camera's picture, numbers and alerts in a browser. `live_page.LivePage` is its door.

All but `address` and `token` need the extra `web`.
"""
