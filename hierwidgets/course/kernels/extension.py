"""A part of JupyterLab's server: what kernels share is imported while the reader's page loads.

``lectures/.lab/jupyter_server_config.d`` names it. The first kernel waits the less; without it, all
that follows is the same.
"""

from typing import Any

from . import provisioner

__all__: list[str] = []


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    provisioner.begin()
