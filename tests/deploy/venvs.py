"""Virtual environments that the test makes for itself, once."""

import hashlib
import os
import pathlib
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def target() -> pathlib.Path:
    """Cargo's target folder."""
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()


def home() -> pathlib.Path:
    """Where the environments are."""
    return pathlib.Path(os.environ.get("STAFFETTA_VENV", target() / "deploy-venv")).resolve()


def ready(name: str, requirements: str) -> pathlib.Path:
    """The folder of an environment with what the file lists; made anew when the file changed."""
    folder = home() / name
    wanted = hashlib.sha256((HERE / requirements).read_bytes() + sys.version.encode()).hexdigest()
    stamp = folder / "made-of"
    if stamp.exists() and stamp.read_text() == wanted:
        return folder
    print(f"making {folder}", flush=True)
    venv.create(folder, clear=True, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(HERE / requirements)], check=True)
    stamp.write_text(wanted)
    return folder


def enter() -> None:
    """Goes on in the environment that can deploy and drive, where this was started in another one."""
    folder = ready("run", "requirements.txt")
    # Its programs come first: cargo finds cargo-lambda there, and that finds zig.
    if not os.environ["PATH"].startswith(str(folder / "bin")):
        os.environ["PATH"] = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    if pathlib.Path(sys.prefix).resolve() == folder:
        return
    python = folder / "bin" / "python"
    os.execv(python, [str(python), "-B", *sys.argv])
