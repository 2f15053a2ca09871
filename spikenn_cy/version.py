"""The version, where every module may read it without importing what is above."""

__version__ = "0.1.0"
