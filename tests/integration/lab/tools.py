"""Test tools from PyPI, in a virtual environment of their own that is made once for each state of tests/requirements.txt."""
import hashlib
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[2] / 'requirements.txt'


def tools():
    """The environment's bin folder. Raises with pip's last words where PyPI cannot be reached."""
    state = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    place = Path.home() / '.cache' / 'davit-tools' / state
    if not (place / 'complete').exists():
        subprocess.run([sys.executable, '-m', 'venv', '--clear', place], check=True, capture_output=True)
        done = subprocess.run([place / 'bin' / 'pip', 'install', '--quiet', '--requirement', REQUIREMENTS], capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f'the tools of {REQUIREMENTS} cannot be installed; is PyPI reachable?\n{done.stderr[-2000:]}')
        (place / 'complete').touch()
    return place / 'bin'
