"""Libraries that stand between driftd and the system (LD_PRELOAD), made of the C files beside this one."""
import pathlib
import subprocess


def make(name, folder):
    """The library of NAME.c, in `folder`."""
    library = pathlib.Path(folder) / f"{name}.so"
    source = pathlib.Path(__file__).with_name(f"{name}.c")
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-Wall", "-o", library, source, "-ldl"], check=True)
    return library
