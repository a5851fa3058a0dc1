"""Certificates for the tests, made by openssl."""

import subprocess
from pathlib import Path


class Authority:
    """A certificate authority of its own.

    Args:
        directory: where its files go; `certificate` is the one to trust.
    """

    def __init__(self, directory: Path):
        directory.mkdir()
        self._directory = directory
        self.certificate = directory / "authority.pem"
        self._key = directory / "authority.key"
        _create(self.certificate, self._key)

    def issue(self, name: str) -> tuple[Path, Path]:
        """A certificate for 127.0.0.1, and its key."""
        certificate = self._directory / f"{name}.pem"
        key = self._directory / f"{name}.key"
        _create(
            *(certificate, key, "-CA", self.certificate, "-CAkey", self._key),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-addext", "basicConstraints=critical,CA:FALSE"),
        )
        return certificate, key


def _create(certificate, key, *options) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "2"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-subj", f"/CN={certificate.stem}", "-out", certificate, "-keyout", key),
            *options,
        ],
        check=True,
        capture_output=True,
    )
