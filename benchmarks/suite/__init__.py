"""The asv suite; see ``asv.conf.json``."""
