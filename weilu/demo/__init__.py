"""The demo county: 苍溪县 at work, with invented people, matters and positions."""

from weilu.demo.loading import DemoError, load

__all__ = ["DemoError", "load"]
