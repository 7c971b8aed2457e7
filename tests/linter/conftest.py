from support.example import catalog

__all__ = ["catalog"]
