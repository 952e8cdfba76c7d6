"""The live page: a camera's picture, numbers and alerts in a browser. Needs the extra `web`."""

from edge_seg.web.address import Address, parse_address
from edge_seg.web.live_page import LivePage, check_token

__all__ = ["Address", "LivePage", "check_token", "parse_address"]
