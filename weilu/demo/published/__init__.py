"""An invented city of the size that published figures speak of, laid out through the importers that offices use."""

from weilu.demo.published.laying_out import lay_out

__all__ = ["lay_out"]
