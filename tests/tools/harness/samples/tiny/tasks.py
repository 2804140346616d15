from releaser.tasks import namespace

__all__ = ["namespace"]
