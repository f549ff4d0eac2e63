"""Simulated paper: pens, scanners, cameras, faxes, and what reading makes of them."""
